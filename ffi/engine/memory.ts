/**
 * Memory outside of V8's heap. It never moves, is never collected, and outlives the isolate that
 * allocated it: the kernel or a child may use a table or a buffer in it at any time.
 *
 * @module
 */

/** Memory for a table, as it is seen here, and its address where the table runs. */
export type TableMemory = Pick<Memory, "address" | "bytes" | "view">;

/** A piece of memory at a fixed address. */
export class Memory {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;
  readonly pointer: Deno.PointerObject;

  /** Wraps the memory of `size` bytes at `address`, which must stay mapped. */
  constructor(readonly address: number, readonly size: number) {
    const pointer = Deno.UnsafePointer.create(BigInt(address));
    if (pointer === null) throw new TypeError("memory at address 0");
    this.pointer = pointer;
    const buffer = Deno.UnsafePointerView.getArrayBuffer(pointer, size);
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
  }
}
