/** Central differences of the runtime's own results, fourth order. */
import { type Arrays, array, type NumberArray, type Session } from "../../../../test/support/runtime.js";
import type { NodeModel, RealType } from "./node-model.js";

const STEP: Record<RealType, number> = { float64: 1e-3, float32: 0.05 };

/** Σ seed · y over the given outputs. */
const weigh = (outputs: Arrays, seeds: Arrays): number =>
  Object.entries(seeds).reduce((sum, [name, s]) => sum + dot(s.values, outputs[name]!.values), 0);
const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

/** d(Σ seed · y)/dx for every element of every differentiated input. */
export async function differences(
  session: Session,
  model: NodeModel,
  seeds: Arrays,
  real: RealType,
): Promise<Map<string, NumberArray>> {
  const h = STEP[real];
  const names = Object.keys(seeds);
  const result = new Map<string, NumberArray>();
  for (const input of model.data) {
    const x = model.feeds[input]!;
    const at = async (i: number, by: number): Promise<number> => {
      const values = x.values.with(i, x.values[i]! + by);
      return weigh(await session.run({ ...model.feeds, [input]: { ...x, values } }, names), seeds);
    };
    const slopes: number[] = [];
    for (const i of x.values.keys()) {
      const [near, far] = [(await at(i, h)) - (await at(i, -h)), (await at(i, 2 * h)) - (await at(i, -2 * h))];
      slopes.push((8 * near - far) / (12 * h));
    }
    result.set(input, array(x.type, slopes, x.dims));
  }
  return result;
}
