import { UnreadableError } from '../../../runtime/detector.js';
import { FencedError, TransactionAbortedError } from '../../../runtime/ports/log.js';
import { ObjectStoreError } from '../../../runtime/ports/object-store.js';
import { StateStoreError } from '../../../runtime/ports/state-store.js';

/** An error as it crosses threads: structured clone keeps neither the class nor `code` of one. */
export interface WireError {
  /** Name of the class: `StateStoreError`. */
  readonly type: string;
  readonly code: string | undefined;
  readonly message: string;
  readonly stack: string | undefined;
}

type Remake = (message: string, code: string) => Error;

/** The classes that callers tell apart. Every other error becomes an `Error` with its code and message. */
const remakers: Readonly<Record<string, Remake>> = {
  StateStoreError: (message, code) => new StateStoreError(code as StateStoreError['code'], message),
  ObjectStoreError: (message, code) => new ObjectStoreError(code as ObjectStoreError['code'], message),
  UnreadableError: (message) => new UnreadableError(message),
  FencedError: (message) => new FencedError(message),
  TransactionAbortedError: (message) => new TransactionAbortedError(message),
};

export function toWire(error: unknown): WireError {
  if (!(error instanceof Error)) return { type: 'Error', code: undefined, message: String(error), stack: undefined };
  const { code } = error as NodeJS.ErrnoException;
  return {
    type: error.constructor.name,
    code: typeof code === 'string' ? code : undefined,
    message: error.message,
    stack: error.stack,
  };
}

/** The error again, of its class, with the stack of where it was thrown. */
export function fromWire({ type, code, message, stack }: WireError): Error {
  const remake = Object.hasOwn(remakers, type) ? remakers[type] : undefined;
  const error = remake?.(message, code ?? '') ?? Object.assign(new Error(message), code === undefined ? {} : { code });
  if (stack !== undefined) error.stack = stack;
  return error;
}
