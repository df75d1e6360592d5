import { readFileSync } from 'node:fs';

/** A file that a setting names cannot be read. */
export class NamedFileError extends Error {
  readonly code = 'SETTINGS_NAMED_FILE';
}

/** The bytes of a file that a setting names; throws `NamedFileError`, which says which setting. */
export function readNamedFile(file: string, setting: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new NamedFileError(`${file} (${setting}) cannot be read: ${(cause as Error).message}`, { cause });
  }
}

interface TlsFiles {
  readonly ca?: string | undefined;
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
}

/** The PEM files of a section of settings with TLS, such as `kafka.tls`; those that it names. Throws `NamedFileError`. */
export function readTlsFiles(
  { ca, certificate, key }: TlsFiles,
  section: string,
): { readonly ca?: Buffer; readonly certificate?: Buffer; readonly key?: Buffer } {
  return {
    ...(ca === undefined ? {} : { ca: readNamedFile(ca, `${section}.ca`) }),
    ...(certificate === undefined ? {} : { certificate: readNamedFile(certificate, `${section}.certificate`) }),
    ...(key === undefined ? {} : { key: readNamedFile(key, `${section}.key`) }),
  };
}
