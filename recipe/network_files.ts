/**
 * The files of a host with which programs use networks, and verify whom they talk to.
 *
 * @module
 */

/**
 * Certificates of authorities, and how OpenSSL is configured. A sandbox without a network has them
 * too, as it can have a proxy to some hosts. What is private lies beside them: /etc/ssl/private,
 * /etc/pki/tls/private, /etc/pki/entitlement.
 */
export const CERTIFICATES: readonly string[] = [
  // Arch Linux; Debian has there what makes /etc/ssl/certs.
  "/etc/ca-certificates/extracted",
  "/etc/ca-certificates/trust-source",
  "/etc/crypto-policies",
  "/etc/pki/ca-trust",
  "/etc/pki/java",
  "/etc/pki/tls/cert.pem",
  "/etc/pki/tls/certs",
  "/etc/pki/tls/openssl.cnf",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
  "/etc/ssl/certs",
  "/etc/ssl/openssl.cnf",
  "/var/lib/ca-certificates",
];

/** How names are resolved, with the host's network. */
export const NETWORK_FILES: readonly string[] = [
  "/etc/gai.conf",
  "/etc/hosts",
  "/etc/protocols",
  "/etc/resolv.conf",
  "/etc/services",
];

/** The text of /etc/hosts without a network: the names of the loopback interface (hosts(5)). */
export function loopbackHosts(hostname?: string): string {
  const names = ["localhost", ...(hostname === undefined ? [] : [hostname])];
  return `127.0.0.1 ${names.join(" ")}\n::1 localhost ip6-localhost ip6-loopback\n`;
}
