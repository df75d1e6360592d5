/**
 * avsc types for reading, with the values that rules and JSON want. They differ from avsc's own in these ways:
 *
 * R1. Union values come bare, never wrapped in their branch's name.
 * R2. timestamp-micros and -nanos come in milliseconds, rounded down; the writer's unit decides.
 * R3. Decimals come as numbers; bytes and fixed as text in base 64.
 * R4. An array or map cannot claim more items than bytes are left: bad bytes cost no more than their length.
 * R5. Records are plain objects (prototype `Object.prototype`), of one shape a type.
 * R6. They only read: `_write` does nothing. avsc asks it to write fields' defaults when a record type is made.
 *
 * `_read`, `_skip`, `_copy` and `_update` are what avsc calls on every type. They are not in its typings, and the package is
 * pinned; `decoder.spec.ts` would show a change.
 */
import type { types as avscTypes, Type } from 'avsc';
import avsc from 'avsc';
import type { AvroObject, AvroSchema } from './schema.js';

/** The part of avsc's reading position that we use. `pos` may run past the end; avsc's `decode` checks that afterwards. */
interface Tap {
  readonly buf: Buffer;
  pos: number;
  readLong(): number;
  skipLong(): void;
  skipString(): void;
}

/** What every avsc type and resolver can do. */
interface Readable {
  _read(tap: Tap): unknown;
  _skip(tap: Tap): void;
}

interface MutableResolver {
  _read: ((tap: Tap) => unknown) | null;
}

interface CopyOptions {
  /** 2: the value stands in a schema as a default. */
  readonly coerce?: number;
}

const readable = (type: unknown) => type as Readable;
const { types } = avsc;

/** R1. */
class BareUnion extends types.WrappedUnionType {
  _read(tap: Tap): unknown {
    const index = tap.readLong();
    const branch = this.types[index];
    if (branch === undefined) throw new Error(`union branch ${index} does not exist`);
    return readable(branch)._read(tap);
  }

  _update(resolver: MutableResolver, writer: Type, options: object): void {
    for (const branch of this.types) {
      let branchResolver: Readable;
      try {
        branchResolver = readable(branch.createResolver(writer, options));
      } catch {
        continue; // The next branch may fit; avsc throws when none did.
      }
      resolver._read = (tap) => branchResolver._read(tap);
      return;
    }
  }

  _copy(value: unknown, options?: CopyOptions): unknown {
    // A default is of the first branch. Copies share it: nobody changes an event's fields.
    return options?.coerce === 2 ? copyDefault(this.types[0]!, value, options) : value;
  }

  _write(): void {}
}

function copyDefault(type: Type, value: unknown, options: CopyOptions): unknown {
  return (type as unknown as { _copy(value: unknown, options: CopyOptions): unknown })._copy(value, options);
}

/** R2. Each unit is a class, because avsc freezes a type at the end of its constructor. */
function timestampType(perMs: number) {
  const toMs = (value: number) => Math.floor(value / perMs);
  return class Timestamp extends types.LongType {
    get isTimestamp(): true {
      return true;
    }

    _read(tap: Tap): number {
      const value = toMs(tap.readLong());
      if (!Number.isSafeInteger(value)) throw new Error('a long beyond 2^53 cannot be read without loss');
      return value;
    }

    _update(resolver: MutableResolver, writer: Type): void {
      const { typeName } = writer;
      if (typeName !== 'long' && typeName !== 'int') return;
      const source = readable('isTimestamp' in writer ? writer : this);
      resolver._read = (tap) => source._read(tap);
    }

    _copy(value: unknown, options?: CopyOptions): unknown {
      if (typeof value !== 'number') throw new Error('a timestamp is a number');
      return options?.coerce === 2 ? toMs(value) : value;
    }

    _write(): void {}
  };
}

const timestamps = new Map<string, ReturnType<typeof timestampType>>();
for (const [unit, perMs] of [
  ['millis', 1],
  ['micros', 1_000],
  ['nanos', 1_000_000],
] as const) {
  const type = timestampType(perMs);
  timestamps.set(`timestamp-${unit}`, type);
  timestamps.set(`local-timestamp-${unit}`, type);
}

type FromBytes = (buf: Buffer, from: number, to: number) => unknown;

const base64: FromBytes = (buf, from, to) => buf.toString('base64', from, to);

/** A two's complement number of any length, divided by 10^scale and rounded once. */
function decimal(scale: number): FromBytes {
  return (buf, from, to) => {
    if (from === to) return 0;
    if (to - from <= 6) return buf.readIntBE(from, to - from) / 10 ** scale;
    const unsigned = BigInt(`0x${buf.toString('hex', from, to)}`);
    return Number(`${BigInt.asIntN((to - from) * 8, unsigned)}e-${scale}`);
  };
}

const fromDefault = (fromBytes: FromBytes, value: unknown, options?: CopyOptions) => {
  if (options?.coerce !== 2) return value;
  if (typeof value !== 'string') throw new Error('a default of bytes is a string');
  const bytes = Buffer.from(value, 'latin1');
  return fromBytes(bytes, 0, bytes.length);
};

/** R3. */
function bytesType(fromBytes: FromBytes) {
  return class BytesAsValue extends types.BytesType {
    _read(tap: Tap): unknown {
      const length = tap.readLong();
      if (length < 0) throw new Error('negative length of bytes');
      const from = tap.pos;
      tap.pos += length;
      return tap.pos > tap.buf.length ? null : fromBytes(tap.buf, from, tap.pos);
    }

    _update(resolver: MutableResolver, writer: Type): void {
      const sameSize = writer.typeName === 'bytes' || writer.typeName === 'string';
      const source = writer.typeName === 'bytes' ? writer : this;
      if (sameSize) resolver._read = (tap) => readable(source)._read(tap);
    }

    _copy(value: unknown, options?: CopyOptions): unknown {
      return fromDefault(fromBytes, value, options);
    }

    _write(): void {}
  };
}

/** R3. */
function fixedType(fromBytes: FromBytes) {
  return class FixedAsValue extends types.FixedType {
    _read(tap: Tap): unknown {
      const from = tap.pos;
      tap.pos += this.size;
      return tap.pos > tap.buf.length ? null : fromBytes(tap.buf, from, tap.pos);
    }

    _copy(value: unknown, options?: CopyOptions): unknown {
      return fromDefault(fromBytes, value, options);
    }

    _write(): void {}
  };
}

/** R4: items of the next block of an array or map, 0 at its end. */
function blockCount(tap: Tap): number {
  const remaining = tap.buf.length - tap.pos;
  // Past the end every number reads as 0, so that reading stops; `decode` then finds the position out of bounds.
  if (remaining <= 0) {
    tap.pos += 1;
    return 0;
  }
  let count = tap.readLong();
  if (count < 0) {
    count = -count;
    tap.skipLong();
  }
  if (count > remaining) throw new Error(`${count} items cannot be in ${remaining} bytes`);
  return count;
}

/** Skips the blocks of an array or map; a block that says its length is skipped at once. */
function skipBlocks(tap: Tap, skipItem: (tap: Tap) => void): void {
  for (;;) {
    const from = tap.pos;
    const count = blockCount(tap);
    if (count === 0) return;
    const after = tap.pos;
    tap.pos = from;
    if (tap.readLong() < 0) {
      const length = tap.readLong();
      if (length < 0) throw new Error('negative length of a block');
      tap.pos += length;
    } else {
      tap.pos = after;
      for (let i = 0; i < count; i++) skipItem(tap);
    }
  }
}

class BoundedArray extends types.ArrayType {
  // Also called on a resolver, which has `itemsType` too.
  _read(tap: Tap): unknown[] {
    const items: unknown[] = [];
    const itemsType = readable(this.itemsType);
    for (let count = blockCount(tap); count !== 0; count = blockCount(tap)) {
      for (let i = 0; i < count; i++) items.push(itemsType._read(tap));
    }
    return items;
  }

  _skip(tap: Tap): void {
    const itemsType = readable(this.itemsType);
    skipBlocks(tap, (t) => itemsType._skip(t));
  }

  _write(): void {}
}

const stringType = readable(avsc.Type.forSchema('string'));

class BoundedMap extends types.MapType {
  _read(tap: Tap): Record<string, unknown> {
    const values: Record<string, unknown> = {};
    const valuesType = readable(this.valuesType);
    for (let count = blockCount(tap); count !== 0; count = blockCount(tap)) {
      for (let i = 0; i < count; i++) {
        const key = stringType._read(tap) as string;
        const value = valuesType._read(tap);
        if (key === '__proto__') Object.defineProperty(values, key, { value, enumerable: true });
        else values[key] = value;
      }
    }
    return values;
  }

  _skip(tap: Tap): void {
    const valuesType = readable(this.valuesType);
    skipBlocks(tap, (t) => {
      t.skipString();
      valuesType._skip(t);
    });
  }

  _write(): void {}
}

const Base64Bytes = bytesType(base64);
const Base64Fixed = fixedType(base64);

/**
 * R5. avsc keeps the namespace of the record under construction in `options`, so they are passed on as they are, never copied;
 * they must have `omitRecordMethods`.
 */
export function plainRecordType(schema: object, options: object): avscTypes.RecordType {
  const type = new types.RecordType(schema as never, options);
  (type.recordConstructor as { prototype: object }).prototype = Object.prototype;
  return type;
}

function typeFor(schema: AvroSchema, options: object): Type | undefined {
  if (typeof schema === 'string') return undefined;
  if (Array.isArray(schema)) return new BareUnion(schema as never, options);
  const object = schema as AvroObject;
  const isDecimal = object.logicalType === 'decimal';
  switch (object.type) {
    case 'record':
    case 'error':
      return plainRecordType(object, options);
    case 'array':
      return new BoundedArray(object as never, options);
    case 'map':
      return new BoundedMap(object as never, options);
    case 'bytes':
      return isDecimal ? new (bytesType(decimal(object.scale ?? 0)))() : new Base64Bytes();
    case 'fixed': {
      const Fixed = isDecimal ? fixedType(decimal(object.scale ?? 0)) : Base64Fixed;
      return new Fixed(object as never, options);
    }
    case 'long': {
      const Timestamp = timestamps.get(object.logicalType ?? '');
      return Timestamp && new Timestamp();
    }
    default:
      return undefined;
  }
}

/** A type that reads `schema`. `references` are definitions that it names, each after those that it names itself. Throws on a bad schema. */
export function readType(schema: AvroSchema, references: readonly AvroSchema[] = []): Type {
  const options = { typeHook: typeFor as never, registry: {}, omitRecordMethods: true, namespace: undefined };
  for (const reference of references) avsc.Type.forSchema(reference as never, options as never);
  return avsc.Type.forSchema(schema as never, options as never);
}
