// The ASN.1 part of node-forge alone: all of it costs the terminal program 250 KB and most of its start.
// Declares the few functions that der.ts uses; @types/node-forge does not know the options of fromDer.
declare module 'node-forge/lib/asn1.js' {
  /** One value; `value` holds children or bytes, the latter as one character per byte. */
  interface Asn1 {
    readonly tagClass: number;
    readonly type: number;
    readonly constructed: boolean;
    readonly value: string | readonly Asn1[];
  }
  interface ReadOptions {
    readonly strict: true;
    readonly parseAllBytes: true;
    readonly decodeBitStrings: false;
    readonly maxDepth: number;
  }
  interface Bytes {
    getBytes(): string;
  }
  const asn1: {
    create(tagClass: number, type: number, constructed: boolean, value: string | readonly Asn1[]): Asn1;
    fromDer(bytes: string, options: ReadOptions): Asn1;
    toDer(value: Asn1): Bytes;
    oidToDer(oid: string): Bytes;
  };
  // biome-ignore lint/style/noDefaultExport: CommonJS, seen from an ES module
  export default asn1;
}
