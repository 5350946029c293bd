/**
 * What is told of a pull while it goes on.
 *
 * @module
 */

/** Something that has happened. */
export type ProgressEvent =
  /** The image is looked for. */
  | { readonly kind: "find"; readonly image: string }
  /** It is found, with these layers. */
  | {
    readonly kind: "layers";
    readonly platform: string;
    readonly layers: readonly { readonly digest: string; readonly size: number }[];
  }
  /** There is more of a layer. */
  | {
    readonly kind: "download";
    readonly digest: string;
    readonly bytes: number;
    readonly size: number;
  }
  /** A layer is there; it is new, or was there before. */
  | {
    readonly kind: "downloaded";
    readonly digest: string;
    readonly size: number;
    readonly isNew: boolean;
  }
  /** There is more of a layer unpacked: so many bytes of it have been read. */
  | {
    readonly kind: "unpack";
    readonly digest: string;
    readonly bytes: number;
    readonly size: number;
  }
  /** There is more of a blob in the registry that it is pushed to. */
  | {
    readonly kind: "upload";
    readonly digest: string;
    readonly bytes: number;
    readonly size: number;
  }
  /** A blob is in the registry; it was sent, mounted from another repository, or there before. */
  | {
    readonly kind: "uploaded";
    readonly digest: string;
    readonly size: number;
    readonly how: "sent" | "mounted" | "there";
  };

/** Is told what happens. */
export type ProgressReporter = (event: ProgressEvent) => void;
