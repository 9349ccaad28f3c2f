/**
 * Symbolic dimensions: what a size is made of that only the input decides ("batch", "⌊(height)/16⌋"). They are polynomials;
 * quotients rounded down, remainders, minima and maxima become polynomials over symbols of their own.
 */
export * from "./computed.js";
export * from "./polynomial.js";
