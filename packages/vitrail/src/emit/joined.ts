/** A model's own bytes, followed by what was appended to it. */
export function joined(original: Uint8Array, patch: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(original.length + patch.length);
  bytes.set(original);
  bytes.set(patch, original.length);
  return bytes;
}
