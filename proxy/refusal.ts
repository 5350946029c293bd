/**
 * Why a request is not passed on.
 *
 * @module
 */

/** The statuses of HTTP that the proxy answers itself. */
export type RefusalStatus = 400 | 403 | 408 | 431 | 502;

const REASONS: Readonly<Record<RefusalStatus, string>> = {
  400: "Bad Request",
  403: "Forbidden",
  408: "Request Timeout",
  431: "Request Header Schemas Too Large",
  502: "Bad Gateway",
};

/** A request that is answered with an error. */
export class Refusal extends Error {
  /** A refusal with a status of HTTP, and words for whoever reads the answer. */
  constructor(readonly status: RefusalStatus, message: string) {
    super(message);
  }

  /** The answer of HTTP. */
  toResponse(): Uint8Array {
    const body = new TextEncoder().encode(`${this.message}\n`);
    const head = [
      `HTTP/1.1 ${this.status} ${REASONS[this.status]}`,
      "Content-Type: text/plain; charset=utf-8",
      `Content-Length: ${body.length}`,
      "Connection: close",
    ];
    return new Uint8Array([...new TextEncoder().encode(head.join("\r\n") + "\r\n\r\n"), ...body]);
  }
}
