/**
 * What the thread that decodes and that of the script send each other.
 *
 * @module
 */

/** How many pieces of an archive may be on their way. */
export const MOST_ON_THEIR_WAY = 16;

/** After so many the script says that it has taken them. */
export const SOME = 4;

/** From the script. */
export type Order =
  | { readonly kind: "decode"; readonly path: string; readonly digest: string }
  /** It has taken pieces. */
  | { readonly kind: "taken"; readonly pieces: number }
  /** It wants no more pieces of this blob, but its digest. */
  | { readonly kind: "end" };

/** To the script. */
export type Answer =
  | {
    readonly kind: "piece";
    readonly bytes: Uint8Array<ArrayBuffer>;
    readonly position: number;
  }
  /** The blob is read; what is wrong with its archive. */
  | {
    readonly kind: "end";
    readonly digest: string;
    readonly size: number;
    readonly issue: string | undefined;
  }
  /** The blob cannot be read. */
  | { readonly kind: "failed"; readonly message: string; readonly code: string | undefined };

/** A thread as the other one sees it. */
export interface Port<Sent, Received> {
  postMessage(message: Sent, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent<Received>) => void) | null;
}
