import { colormaps, type OverlayOptions, overlayModes, type ScaleOptions } from "@vitrail/picture";
import { type Command, Option } from "commander";
import { problem } from "../problem.js";

/** How a map is drawn. None of this changes its values. */
export interface View {
  overlay: OverlayOptions;
  scale: ScaleOptions;
  sign: "all" | "positive" | "negative" | "absolute";
}

export interface ViewFlags {
  mode?: NonNullable<OverlayOptions["mode"]>;
  colormap?: NonNullable<OverlayOptions["colormap"]>;
  upsample?: NonNullable<OverlayOptions["interpolation"]>;
  sign: View["sign"];
  opacity?: string;
  threshold?: string;
  clip?: string;
  normalize?: string;
}

export function addViewFlags(command: Command): Command {
  return command
    .addOption(new Option("--mode <mode>", "how the map lies on the picture").choices(overlayModes))
    .addOption(new Option("--colormap <name>", "colours").choices(Object.keys(colormaps)))
    .addOption(new Option("--upsample <way>", "nearest shows the true patches").choices(["nearest", "bilinear"]))
    .addOption(
      new Option("--sign <sign>", "which values are drawn")
        .choices(["all", "positive", "negative", "absolute"])
        .default("all"),
    )
    .option("--opacity <0..1>", "opacity of the map")
    .option("--threshold <0..1>", "draw nothing below this share of the maximum")
    .option("--clip <percent>", "cut off this share of the extreme values, 0 to 5")
    .option("--normalize <map|set|min:max>", "one scale per map, one for all, or a fixed one");
}

export function readView(flags: ViewFlags): View {
  const number = (name: "opacity" | "threshold" | "clip", max: number): number | undefined => {
    const text = flags[name];
    if (text === undefined) return undefined;
    const value = Number(text);
    if (text.trim() !== "" && value >= 0 && value <= max) return value;
    throw problem("E080", { at: `--${name} ${text}`, why: "it is out of range", try: `a number from 0 to ${max}` });
  };
  const [opacity, threshold, clip] = [number("opacity", 1), number("threshold", 1), number("clip", 5)];
  return {
    overlay: {
      ...(flags.mode && { mode: flags.mode }),
      ...(flags.colormap && { colormap: flags.colormap }),
      ...(flags.upsample && { interpolation: flags.upsample }),
      ...(opacity !== undefined && { opacity }),
      ...(threshold !== undefined && { threshold }),
    },
    scale: { ...readNormalize(flags.normalize), ...(clip !== undefined && { clip }) },
    sign: flags.sign,
  };
}

function readNormalize(text: string | undefined): ScaleOptions {
  if (text === undefined) return {};
  if (text === "map" || text === "set") return { mode: text };
  const [min, max, more] = text.split(":").map(Number);
  if (more === undefined && Number.isFinite(min) && Number.isFinite(max))
    return { mode: "fixed", min: min!, max: max! };
  throw problem("E080", {
    at: `--normalize ${text}`,
    why: "it is not understood",
    try: "map, set, or a range like 0:0.5",
  });
}
