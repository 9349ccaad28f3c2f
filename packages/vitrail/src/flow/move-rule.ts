/** What a rule of move.ts sees and gives, and the two that others are made of: nothing changes, or one axis after the other. */
import type { Node, Value } from "../ir/graph.js";
import type { Builder } from "../ops/builder.js";
import * as D from "../tensor/dim.js";
import { keptAtoms, type Layout, refuseTokens } from "./layout.js";
import { mapRow, type Row, relayout, rowAxes, sizes, withJoinedAxis } from "./row.js";

export interface Move {
  readonly node: Node;
  /** Which input the row goes to. */
  readonly index: number;
  /** The output it comes from. */
  readonly value: Value;
  readonly row: Row;
  /** Layout of that input. */
  readonly layout: Layout;
  /** Above the last block: what happens here decides which tokens are read. */
  readonly reading: boolean;
}

export interface Moved {
  readonly row: Row;
  readonly note?: string;
  /** The row no longer sums to one. */
  readonly weighted?: boolean;
}

export type MoveRule = (b: Builder, move: Move) => Moved;

/** The same numbers in the layout of the input. */
export const unchanged: MoveRule = (b, { row, layout }) => ({ row: relayout(b, row, layout) });

/** The operator's own gradient, applied to the row along one joined axis. */
export const alongAxis =
  (
    pull: (b: Builder, move: Move, joined: Value, at: number, axis: number) => Value,
    axes: (m: Move) => readonly number[],
  ): MoveRule =>
  (b, move) => {
    let { row } = move;
    for (const axis of axes(move)) {
      const target = row.layout.map((own, i) => (i === axis ? move.layout[axis]! : own));
      const isWithout = rowAxes(row.layout, axis).length === 0;
      if (isWithout && keptAtoms([move.layout[axis]!]).length === 0) {
        row = { ...row, layout: target };
        continue;
      }
      if (isWithout && row.layout[axis]!.length > 0)
        refuseTokens(move.node, `its axis ${axis} holds classes in the output, and tokens before it`);
      const from = row.layout;
      const dims = sizes(keptAtoms(target));
      row = mapRow(row, target, (part) =>
        b.reshape(
          withJoinedAxis(b, part, from, axis, (joined, at) => pull(b, move, joined, at, axis)),
          dims,
        ),
      );
    }
    return { row: { ...row, layout: move.layout } };
  };

export const changedAxes = ({ node, index, value }: Move): number[] => {
  const input = node.inputs[index]!.shape!;
  return input.flatMap((d, i) => (D.equal(d, value.shape![i]!) ? [] : [i]));
};
