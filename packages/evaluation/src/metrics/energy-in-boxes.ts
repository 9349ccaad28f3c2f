/**
 * Energy-based pointing game, divided by what an even map would reach.
 *
 *   ( positive relevance inside the boxes / all positive relevance ) / ( box area / picture area )      1 = chance
 */
import { locate } from "../location.js";
import { defineMetric } from "../metric.js";
import { mean } from "../rank.js";
import { relevanceMass } from "./relevance-mass.js";

export const energyInBoxes = defineMetric({
  id: "energy-in-boxes",
  title: "Energy in boxes / box area",
  citation:
    "Wang et al. Score-CAM: Score-Weighted Visual Explanations for Convolutional Neural Networks. CVPR Workshops 2020.",
  direction: "up",
  group: "localisation",
  needs: ["boxes", "picture"],
  options: {},
  measure(probe) {
    const { scores, truth } = locate(probe, "boxes");
    const area = mean(truth);
    const energy = relevanceMass(scores, truth);
    return { value: area > 0 ? energy / area : 0, parts: { energy, area } };
  },
});
