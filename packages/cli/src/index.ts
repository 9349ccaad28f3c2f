/** The command line as a function: `await main(["explain", "model.onnx", "cat.jpg"])` gives its exit code. */
export { main } from "./program.js";
