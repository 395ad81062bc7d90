import fc from 'fast-check';

/** Any code point, lone surrogates too. fast-check's own `binary` unit takes seconds to build its tables. */
export const anyChar: fc.Arbitrary<string> = fc
  .oneof(
    fc.integer({ min: 0, max: 0x24f }),
    fc.integer({ min: 0, max: 0xffff }),
    fc.integer({ min: 0x10000, max: 0x10ffff }),
  )
  .map((code) => String.fromCodePoint(code));

/** Any text at all. */
export const anyText: fc.Arbitrary<string> = fc.string({ unit: anyChar });
