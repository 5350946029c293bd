/**
 * Refusals: requests that the proxy does not pass on.
 *
 * @module
 */

/** The statuses of HTTP that the proxy sends itself. */
export type RefusalStatus = 400 | 403 | 408 | 431 | 502;

const REASONS: Readonly<Record<RefusalStatus, string>> = {
  400: "Bad Request",
  403: "Forbidden",
  408: "Request Timeout",
  431: "Request Header Fields Too Large",
  502: "Bad Gateway",
};

/** A request that gets an error as its response. */
export class Refusal extends Error {
  /** A refusal with a status of HTTP, and a message for the body of the response. */
  constructor(readonly status: RefusalStatus, message: string) {
    super(message);
  }

  /** Returns the HTTP response. */
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
