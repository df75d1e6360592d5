import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { assertObjectName, mayBegin } from '../../runtime/object-name.js';
import { type ClaimingStore, ObjectStoreError } from '../../runtime/ports/object-store.js';
import { asObjectError, isNoObject, isTaken } from './s3-errors.js';

const SETTING = 'checkpoint.s3';

/** As the settings `checkpoint.s3.*` and `sinks.<name>.s3.*` name them. */
export interface S3ObjectStoreOptions {
  readonly bucket: string;
  /** Beginning of all object names; a slash follows it. Empty: none. */
  readonly prefix: string;
  readonly region: string;
  /** Absent: AWS. */
  readonly endpoint?: string | undefined;
  readonly pathStyle?: boolean;
  /** Absent: the SDK's own search (environment, profile, role). */
  readonly accessKeyId?: string | undefined;
  readonly secretAccessKey?: string | undefined;
  /** A request without any progress is given up after so long. Default 20,000 ms. */
  readonly timeoutMs?: number;
  /** Settings that errors speak of. Default `checkpoint.s3`. */
  readonly setting?: string;
  /** Default 5,000 ms. */
  readonly connectTimeoutMs?: number;
  /** A request is sent so often before it has failed. Default 3. */
  readonly attempts?: number;
  /** Names asked for at once. Default 1000, as S3 gives at most. */
  readonly pageNames?: number;
}

/**
 * Objects in a bucket of S3, or of a server that speaks it. S3 itself writes objects whole or not at all, and readers see what was written
 * before they asked.
 */
export class S3ObjectStore implements ClaimingStore {
  private readonly client: S3Client;
  private readonly prefix: string;

  /** @throws ObjectStoreError One half of the credentials is there without the other. */
  constructor(private readonly options: S3ObjectStoreOptions) {
    const prefix = options.prefix.replace(/^\/+|\/+$/g, '');
    this.prefix = prefix === '' ? '' : `${prefix}/`;
    const { region, endpoint, accessKeyId, secretAccessKey } = options;
    const known = accessKeyId !== undefined && secretAccessKey !== undefined;
    if (!known && accessKeyId !== secretAccessKey) {
      const [key, secret] = ['accessKeyId', 'secretAccessKey'].map((half) => `${options.setting ?? SETTING}.${half}`);
      const [given, other] = accessKeyId === undefined ? [secret, key] : [key, secret];
      throw new ObjectStoreError('OBJECTS_DENIED', `set ${other} too, or leave ${given} out`);
    }
    this.client = new S3Client({
      region,
      forcePathStyle: options.pathStyle ?? false,
      maxAttempts: options.attempts ?? 3,
      requestHandler: {
        connectionTimeout: options.connectTimeoutMs ?? 5_000,
        socketTimeout: options.timeoutMs ?? 20_000,
      },
      ...(known ? { credentials: { accessKeyId, secretAccessKey } } : {}),
      // Not every server that speaks S3 knows the checksums that are usual at AWS by now.
      ...(endpoint === undefined
        ? {}
        : { endpoint, requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED' }),
    });
  }

  async put(name: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    await this.send(name, bytes, signal, {});
  }

  async create(name: string, bytes: Uint8Array, signal?: AbortSignal): Promise<boolean> {
    return this.send(name, bytes, signal, { IfNoneMatch: '*' });
  }

  /** False: something of this name is there already, and was not to be written over. */
  private send(
    name: string,
    bytes: Uint8Array,
    signal: AbortSignal | undefined,
    only: { readonly IfNoneMatch?: string },
  ): Promise<boolean> {
    return this.during(`write ${name}`, signal, async () => {
      assertObjectName(name);
      // A copy: whoever put them may change them while they are sent.
      const content = { Body: new Uint8Array(bytes), ContentLength: bytes.length };
      try {
        await this.client.send(new PutObjectCommand({ ...this.at(name), ...content, ...only }), {
          abortSignal: signal,
        });
        return true;
      } catch (error) {
        if (only.IfNoneMatch !== undefined && isTaken(error)) return false;
        throw error;
      }
    });
  }

  async get(name: string, signal?: AbortSignal): Promise<Uint8Array | null> {
    return this.during(`read ${name}`, signal, async () => {
      assertObjectName(name);
      try {
        const { Body } = await this.client.send(new GetObjectCommand(this.at(name)), { abortSignal: signal });
        return (await Body?.transformToByteArray()) ?? new Uint8Array();
      } catch (error) {
        if (isNoObject(error)) return null;
        throw error;
      }
    });
  }

  async list(prefix: string, signal?: AbortSignal): Promise<readonly string[]> {
    // Some servers take a slash at the beginning, or two in a row, for none, or one.
    if (!mayBegin(prefix)) return [];
    return this.during('list', signal, async () => {
      const names: string[] = [];
      let token: string | undefined;
      do {
        const page = await this.client.send(
          new ListObjectsV2Command({
            Bucket: this.options.bucket,
            Prefix: `${this.prefix}${prefix}`,
            ContinuationToken: token,
            MaxKeys: this.options.pageNames ?? 1000,
          }),
          { abortSignal: signal },
        );
        for (const { Key } of page.Contents ?? []) {
          // What ends with a slash stands for a folder, made by hand.
          if (Key !== undefined && !Key.endsWith('/')) names.push(Key.slice(this.prefix.length));
        }
        token = page.IsTruncated ? page.NextContinuationToken : undefined;
      } while (token !== undefined);
      return names.sort();
    });
  }

  async delete(name: string, signal?: AbortSignal): Promise<void> {
    await this.during(`delete ${name}`, signal, async () => {
      assertObjectName(name);
      try {
        await this.client.send(new DeleteObjectCommand(this.at(name)), { abortSignal: signal });
      } catch (error) {
        if (!isNoObject(error)) throw error;
      }
    });
  }

  async close(): Promise<void> {
    this.client.destroy();
  }

  private at(name: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.options.bucket, Key: `${this.prefix}${name}` };
  }

  private async during<T>(what: string, signal: AbortSignal | undefined, act: () => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    try {
      return await act();
    } catch (error) {
      signal?.throwIfAborted();
      const { bucket, setting = SETTING } = this.options;
      throw asObjectError(error, `${what} in bucket ${bucket}`, bucket, setting);
    }
  }
}
