export * from "./folder.js";
export * from "./gtsegs.js";
export * from "./store.js";
