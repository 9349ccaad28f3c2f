/** The process of one measurement: a request comes as a message, the reply goes back as one. */
import { asVitrailError } from "../problem.js";
import { type BenchRequest, perform } from "./perform.js";

process.once("message", async (request: BenchRequest) => {
  try {
    process.send?.({ reply: await perform[request.measurement](request) });
  } catch (error) {
    process.send?.({ diagnostics: asVitrailError(error).diagnostics });
  }
  process.disconnect?.();
});
