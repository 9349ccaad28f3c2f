/** NumPy's .npy, version 1.0: magic, a header padded to 64 bytes, then the numbers. */
export function encodeNpy(values: ArrayLike<number>, shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const dictionary = `{'descr': '<f4', 'fortran_order': False, 'shape': ${tuple}, }`;
  const padding = (64 - ((10 + dictionary.length + 1) % 64)) % 64;
  const header = `${dictionary}${" ".repeat(padding)}\n`;
  const bytes = new Uint8Array(10 + header.length + values.length * 4);
  bytes.set([0x93, ...new TextEncoder().encode("NUMPY"), 1, 0, header.length & 0xff, header.length >> 8]);
  bytes.set(new TextEncoder().encode(header), 10);
  const view = new DataView(bytes.buffer, 10 + header.length);
  for (let index = 0; index < values.length; index++) view.setFloat32(index * 4, values[index]!, true);
  return bytes;
}
