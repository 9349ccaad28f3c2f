/** What goes wrong while a graph is worked out. Whose fault it is depends on where it is caught: at the import the file's, in a pass ours. */

/** Operands, axes or sizes that do not fit each other. */
export class Misfit extends Error {
  override readonly name = "Misfit";
}

/** More than any model needs: sizes of hundreds of terms, functions that call functions, constants of a billion elements. */
export class OverBudget extends Error {
  override readonly name = "OverBudget";
}
