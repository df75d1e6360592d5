import { ObjectStoreError } from '../../runtime/ports/object-store.js';

const DENIED = new Set([
  'AccessDenied',
  'AllAccessDisabled',
  'AccountProblem',
  'CredentialsProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidAccessKeyId',
  'InvalidToken',
  'RequestTimeTooSkewed',
  'SignatureDoesNotMatch',
  'TokenProviderError',
]);
const FULL = new Set([
  'QuotaExceeded',
  'QuotaExceededException',
  'XMinioStorageFull',
  'InsufficientStorage',
  'EntityTooLarge',
]);
const AWAY = new Set([
  'TimeoutError',
  'RequestTimeout',
  'SlowDown',
  'ServiceUnavailable',
  'InternalError',
  'NetworkingError',
]);

/** In the message: the client does not keep the codes of all errors of the network. */
const UNREACHED =
  /\b(ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EPIPE|ETIMEDOUT|socket hang up|aborted)\b/;

interface S3Failure {
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** Whether it says that an object of that name is there already. */
export function isTaken(error: unknown): boolean {
  const { name, $metadata } = error as S3Failure;
  return name === 'PreconditionFailed' || $metadata?.httpStatusCode === 412;
}

/** Whether it says that there is no object of that name. */
export function isNoObject(error: unknown): boolean {
  return ['NoSuchKey', 'NotFound'].includes((error as S3Failure).name ?? '');
}

/** The port's error for what the client has thrown while doing `what`; it says what to do. */
export function asObjectError(error: unknown, what: string, bucket: string, setting: string): ObjectStoreError {
  const failure = error as S3Failure;
  const status = failure.$metadata?.httpStatusCode;
  const names = [failure.name ?? '', failure.code ?? ''];
  const is = (set: ReadonlySet<string>): boolean => names.some((name) => set.has(name));
  // The client's own parts need not be named to whoever reads it.
  const message = failure.message?.replace(/^@\S+ - /, '');
  const said = `cannot ${what}: ${message || names.find((name) => name !== '') || 'no reason given'}`;
  const made = (code: ObjectStoreError['code'], advice: string) =>
    new ObjectStoreError(code, `${said}; ${advice}`, { cause: error });
  if (names.includes('NoSuchBucket')) {
    return made('OBJECTS_IO', `make the bucket ${bucket}, or name another one as ${setting}.bucket`);
  }
  if (names.includes('PermanentRedirect') || names.includes('AuthorizationHeaderMalformed') || status === 301) {
    return made('OBJECTS_IO', `set ${setting}.region to the region of the bucket ${bucket}`);
  }
  if (is(DENIED) || status === 401 || status === 403) {
    const rights = `s3:ListBucket on ${bucket}, and s3:GetObject, s3:PutObject and s3:DeleteObject on its objects`;
    return made('OBJECTS_DENIED', `look at ${setting}.accessKeyId and secretAccessKey; their user needs ${rights}`);
  }
  if (is(FULL) || status === 507) return made('OBJECTS_FULL', 'raise the quota, or set checkpoint.retained lower');
  const isBusy = status === 429 || (status !== undefined && status >= 500);
  if (is(AWAY) || isBusy || UNREACHED.test(`${names.join(' ')} ${failure.message}`)) {
    return made('OBJECTS_AWAY', `see whether ${setting}.endpoint, or AWS, can be reached`);
  }
  return new ObjectStoreError('OBJECTS_IO', said, { cause: error });
}
