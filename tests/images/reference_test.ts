/** References: what docker and the other engines take, and what they refuse. */

import { assertEquals } from "@std/assert";
import { parseReference, referenceText, shortReference } from "../../images/reference.ts";
import { test } from "../support.ts";
import { assertImageError } from "./support.ts";

const HASH = "0123456789abcdef".repeat(4);

const VALID: Readonly<Record<string, string>> = {
  "debian": "docker.io/library/debian:latest",
  "debian:12": "docker.io/library/debian:12",
  "team/tool": "docker.io/team/tool:latest",
  "docker.io/debian": "docker.io/library/debian:latest",
  "index.docker.io/team/tool:1": "docker.io/team/tool:1",
  "localhost/tool": "localhost/tool:latest",
  "localhost:5000/tool": "localhost:5000/tool:latest",
  "registry.example/a/b/c:v1.2-x_y": "registry.example/a/b/c:v1.2-x_y",
  "Kitchen/tool": "Kitchen/tool:latest",
  "[::1]:5000/tool": "[::1]:5000/tool:latest",
  "a.b/c__d/e---f": "a.b/c__d/e---f:latest",
  [`debian@sha256:${HASH}`]: `docker.io/library/debian@sha256:${HASH}`,
  [`debian:12@sha256:${HASH}`]: `docker.io/library/debian:12@sha256:${HASH}`,
  "docker://debian:12": "docker.io/library/debian:12",
  "oci:./layout:tag": "oci:./layout:tag",
  "oci:/Path/With/Capital:t": "oci:/Path/With/Capital:t",
  "oci:a b:docker.io/library/debian:12": "oci:a b:docker.io/library/debian:12",
  [`oci:layout@sha256:${HASH}`]: `oci:layout@sha256:${HASH}`,
  "docker-archive:image.tar": "docker-archive:image.tar",
  "docker-archive:image.tar:tool:1": "docker-archive:image.tar:tool:1",
  "oci-archive:image.tar:tag": "oci-archive:image.tar:tag",
  "dir:a:b": "dir:a:b",
};

test("a reference has one whole text", () => {
  for (const [text, whole] of Object.entries(VALID)) {
    const reference = parseReference(text);
    assertEquals(referenceText(reference), whole, text);
    assertEquals(parseReference(referenceText(reference)), reference, text);
    assertEquals(parseReference(shortReference(reference)), reference, text);
  }
});

/** What is none, with a part of the message. */
const REFUSED: Readonly<Record<string, string>> = {
  "": "empty",
  "Debian:12": "did you mean debian:12 ?",
  "a.b/Tool": "did you mean a.b/tool ?",
  "https://a.b/tool": "did you mean a.b/tool ?",
  "./layout:tag": "did you mean oci:./layout:tag ?",
  "/layout": "did you mean oci:/layout ?",
  "debian:": "no tag after the colon",
  "debian:-x": "is no tag",
  "debian@sha256:12": "does not have 64 digits",
  "debian@md5:12": "no algorithm that is known",
  "a..b": "is no name of a repository",
  "a//b": "is no name of a repository",
  "a b": "a space",
  [HASH]: `did you mean NAME@sha256:${HASH} ?`,
  [`a.b/${"x".repeat(255)}`]: "255 letters",
  "oci:": "it has no path",
  "oci:path:": "no tag after the colon",
  "oci://path": "a path follows",
  "containers-storage:debian": "podman save",
  "docker-daemon:debian:12": "docker save",
};

test("what is no reference is refused, with the fix", async () => {
  for (const [text, says] of Object.entries(REFUSED)) {
    const code = /^(containers-storage|docker-daemon)/.test(text) ? "unsupported" : "reference";
    await assertImageError(() => parseReference(text), code, says);
  }
});
