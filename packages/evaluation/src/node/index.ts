export * from "./folder.js";
export * from "./gtsegs.js";
