/**
 * Memory outside V8's heap: it never moves, is never collected, and outlives the isolate that made
 * it, so that a table or a buffer there is safe whoever still uses it.
 *
 * @module
 */

/** A piece of memory at a fixed address. */
export class Memory {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;
  readonly pointer: Deno.PointerObject;

  /** The memory of `size` bytes at `address`, which must stay mapped. */
  constructor(readonly address: number, readonly size: number) {
    const pointer = Deno.UnsafePointer.create(BigInt(address));
    if (pointer === null) throw new TypeError("memory at address 0");
    this.pointer = pointer;
    const buffer = Deno.UnsafePointerView.getArrayBuffer(pointer, size);
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
  }
}
