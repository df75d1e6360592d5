import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { crc32, deflateRawSync, zstdCompressSync } from 'node:zlib';
import avsc from 'avsc';
import type { AvroSchema } from '../avro/schema.js';
import { openRecords } from './open-records.js';

const schema = {
  type: 'record',
  name: 'Payment',
  namespace: 'a',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'account', type: 'string' },
    { name: 'note', type: ['null', 'string'], default: null },
    { name: 'amount', type: 'double' },
  ],
};
const type = avsc.Type.forSchema(schema as never);
const SYNC = Buffer.from('0123456789abcdef');
const payment = (id: number) => ({ id, account: `a${id % 7}`, note: id % 3 === 0 ? 'x' : null, amount: id / 2 });
const payments = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => payment(from + i));

const long = (n: number) => avsc.Type.forSchema('long').toBuffer(n);

const snappyLiteral = (data: Buffer) => {
  if (data.length === 0) return Buffer.alloc(5);
  const head = Buffer.from([(data.length & 0x7f) | 0x80, data.length >> 7, 0xf4, 0, 0]);
  head.writeUInt16LE(data.length - 1, 3);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(data));
  return Buffer.concat([head, data, checksum]);
};
const codecs: Record<string, (data: Buffer) => Buffer> = {
  null: (data) => data,
  deflate: (data) => deflateRawSync(data),
  zstandard: (data) => zstdCompressSync(data),
  snappy: snappyLiteral,
};

/** A container, byte by byte, so that faults can be put in. */
function container(blocks: readonly (readonly object[])[], codec = 'deflate', top: unknown = schema, encode = type) {
  const header = avsc.Type.forSchema({ type: 'map', values: 'bytes' } as never).toBuffer({
    'avro.schema': Buffer.from(JSON.stringify(top)),
    'avro.codec': Buffer.from(codec),
  });
  const parts = [Buffer.from('Obj\u0001'), header, SYNC];
  const starts: number[] = [];
  for (const rows of blocks) {
    starts.push(parts.reduce((sum, part) => sum + part.length, 0));
    const data = (codecs[codec] ?? codecs.null!)(Buffer.concat(rows.map((row) => encode.toBuffer(row))));
    parts.push(long(rows.length), long(data.length), data, SYNC);
  }
  return { bytes: Buffer.concat(parts), starts };
}

describe('files of records', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'stakeout-files-'));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  const put = (name: string, data: string | Buffer) => {
    const file = path.join(dir, name);
    writeFileSync(file, data);
    return file;
  };

  /** All rows of a file; on an error those before it, and the error. */
  async function read(file: string, fields: string[] | null = null, reader?: AvroSchema) {
    const records = await openRecords(file, { reader });
    const rows: Readonly<Record<string, unknown>>[] = [];
    const names = new Set<string>();
    let error: unknown = null;
    try {
      for await (const batch of records.batches(fields)) {
        expect(batch.first).toBe(rows.length);
        for (const row of batch.rows) {
          rows.push(row.fields);
          names.add(row.recordName);
        }
      }
    } catch (caught) {
      error = caught;
    }
    await records.close();
    return { rows, names: [...names], error, schema: records.schema };
  }

  describe('Avro containers', () => {
    it.each(['null', 'deflate', 'zstandard', 'snappy'])('reads blocks compressed with %s', async (codec) => {
      const file = put(`${codec}.avro`, container([payments(0, 100), [], payments(100, 350)], codec).bytes);
      const { rows, names, error } = await read(file);
      expect(error).toBeNull();
      expect(rows).toStrictEqual(payments(0, 350));
      expect(names).toEqual(['Payment']);
    });

    it('reads what avsc writes', async () => {
      const file = path.join(dir, 'avsc.avro');
      const encoder = new avsc.streams.BlockEncoder(schema as never, { codec: 'deflate', blockSize: 500 });
      for (const row of payments(0, 1_000)) encoder.write(row);
      encoder.end();
      await pipeline(encoder, createWriteStream(file));
      const { rows, error } = await read(file, ['id', 'amount']);
      expect(error).toBeNull();
      expect(rows).toStrictEqual(payments(0, 1_000).map(({ id, amount }) => ({ id, amount })));
    });

    it('gives large blocks in several batches, and says how far it is', async () => {
      const file = put('large.avro', container([payments(0, 10_000), payments(10_000, 10_010)]).bytes);
      const records = await openRecords(file);
      const sizes: number[] = [];
      const read: number[] = [];
      for await (const batch of records.batches(null)) {
        sizes.push(batch.rows.length);
        read.push(batch.bytesRead);
      }
      expect(sizes).toEqual([4_096, 4_096, 1_808, 10]);
      expect(read).toEqual([...read].sort((a, b) => a - b));
      expect(read.at(-1)).toBe(records.bytesTotal);
      await records.close();
    });

    it('decodes a whole row from its bytes, whatever the projection', async () => {
      const records = await openRecords(put('whole.avro', container([payments(0, 9_000)]).bytes));
      for await (const batch of records.batches(['amount'])) {
        const index = batch.rows.length - 1;
        const kept = batch.raw(index).slice();
        expect(records.decodeWhole(kept)).toStrictEqual(payment(batch.first + index));
      }
      await records.close();
    });

    it('reads through a reader schema', async () => {
      const fields = [
        { name: 'amount', type: 'double' },
        { name: 'country', type: 'string', default: 'NL' },
      ];
      const reader = { type: 'record', name: 'Payment', fields } as unknown as AvroSchema;
      const file = put('reader.avro', container([[payment(4)]]).bytes);
      const result = await read(file, null, reader);
      expect(result.rows).toStrictEqual([{ amount: 2, country: 'NL' }]);
      expect(result.schema).toBe(reader);
    });

    it('tells the branches of a union apart', async () => {
      const union = [
        { type: 'record', name: 'In', fields: [{ name: 'a', type: 'int' }] },
        { type: 'record', name: 'Out', fields: [{ name: 'b', type: 'string' }] },
      ];
      const rows = [{ In: { a: 1 } }, { Out: { b: 'x' } }];
      const { bytes } = container([rows], 'deflate', union, avsc.Type.forSchema(union as never, { wrapUnions: true }));
      const result = await read(put('union.avro', bytes), ['a', 'b']);
      expect(result.names).toEqual(['In', 'Out']);
      expect(result.rows).toStrictEqual([
        { a: 1, b: null },
        { b: 'x', a: null },
      ]);
    });

    it('begins anew each time it is read', async () => {
      const records = await openRecords(put('twice.avro', container([payments(0, 5)]).bytes));
      for (let round = 0; round < 2; round++) {
        let count = 0;
        for await (const batch of records.batches(null)) count += batch.rows.length;
        expect(count).toBe(5);
      }
      await records.close();
    });

    it('finds a truncated last block, at every length, and says where it began', async () => {
      const { bytes, starts } = container([payments(0, 3), payments(3, 5)]);
      for (let length = starts[1]! + 1; length < bytes.length; length++) {
        const { rows, error } = await read(put('cut.avro', bytes.subarray(0, length)));
        expect(rows).toStrictEqual(payments(0, 3));
        expect(error).toMatchObject({ code: 'FILE_TRUNCATED' });
      }
      const { error } = await read(put('cut.avro', bytes.subarray(0, bytes.length - 4)));
      const where = `the block that begins at byte ${starts[1]}`;
      expect((error as Error).message).toMatch(
        new RegExp(`cut.avro, byte \\d+: it ends within ${where}: 4 bytes are missing`),
      );
    });

    it('finds a wrong sync marker', async () => {
      const { bytes, starts } = container([payments(0, 3), payments(3, 5)]);
      bytes[starts[1]! - 1]! ^= 1;
      expect((await read(put('sync.avro', bytes))).error).toMatchObject({ code: 'FILE_CORRUPT', position: starts[0] });
    });

    it('finds bytes that cannot be decompressed, and a wrong checksum', async () => {
      // The first byte of deflate says what kind of block it is; Snappy's checksum covers every byte.
      for (const [codec, at] of [['deflate', 3] as const, ['snappy', 20] as const]) {
        const { bytes, starts } = container([payments(0, 30)], codec);
        bytes[starts[0]! + at] = 0xff;
        const { error } = await read(put('bad.avro', bytes));
        expect(error).toMatchObject({ code: 'FILE_CORRUPT', position: starts[0] });
      }
    });

    it('finds a record that does not hold, and names block, record and field', async () => {
      const { bytes, starts } = container([payments(0, 3)], 'null');
      // The third record's union branch.
      const record = Buffer.concat([type.toBuffer(payment(2))]);
      bytes[bytes.length - SYNC.length - record.length + 4]! = 8;
      const { error } = await read(put('record.avro', bytes));
      expect(error).toMatchObject({ code: 'FILE_CORRUPT', position: starts[0] });
      expect((error as Error).message).toContain(
        `record.avro, block at byte ${starts[0]}, record 2: field note: union branch 4 does not exist`,
      );
    });

    it('finds a count that does not fit the block', async () => {
      const { bytes, starts } = container([payments(0, 3)], 'null');
      bytes[starts[0]!] = 4;
      expect((await read(put('count.avro', bytes))).error).toMatchObject({
        code: 'FILE_CORRUPT',
        message: expect.stringContaining('bytes are left after its 2 records'),
      });
    });

    it.each([
      ['text', 'id,amount\n1,2\n', 'FILE_FORMAT'],
      ['empty', '', 'FILE_FORMAT'],
      ['magic', 'Obj\u0001', 'FILE_TRUNCATED'],
      ['lzma', container([], 'xz').bytes, 'FILE_CODEC'],
      [
        'schema',
        container([], 'null', { type: 'record', name: 'R', fields: [{ name: 'a', type: 'Nowhere' }] }).bytes,
        'FILE_FORMAT',
      ],
    ])('refuses a file with %s', async (name, data, code) => {
      await expect(openRecords(put(`${name}.avro`, data))).rejects.toMatchObject({ code });
    });

    it('refuses a file that is not there', async () => {
      await expect(openRecords(path.join(dir, 'nowhere.avro'))).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
      const empty = await mkdtemp(path.join(dir, 'empty-'));
      await expect(openRecords(empty, { format: 'avro' })).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
    });

    it('never hangs or throws anything else for flipped bytes', async () => {
      const { bytes } = container([payments(0, 20), payments(20, 30)], 'null');
      const file = path.join(dir, 'flipped.avro');
      for (let at = 0; at < bytes.length; at++) {
        const flipped = Buffer.from(bytes);
        flipped[at]! ^= 0x81;
        await writeFile(file, flipped);
        const result = await read(file).catch((error: unknown) => ({ error }));
        if (result.error !== null) expect(result.error).toMatchObject({ code: expect.stringMatching(/^(FILE|AVRO)_/) });
      }
    });
  });

  describe('NDJSON', () => {
    const lines = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

    it('reads one object a line, with blank lines, CR LF, a byte order mark and no last line end', async () => {
      const file = put('a.ndjson', '\uFEFF{"a":1}\r\n\r\n{"b":"é","a":2}\n\n{"a":3}');
      const { rows, error } = await read(file);
      expect(error).toBeNull();
      expect(rows).toEqual([{ a: 1 }, { b: 'é', a: 2 }, { a: 3 }]);
      expect((await read(file, ['b', 'a', 'constructor'])).rows).toStrictEqual([
        { b: null, a: 1, constructor: null },
        { b: 'é', a: 2, constructor: null },
        { b: null, a: 3, constructor: null },
      ]);
    });

    it('reads lines across chunks, and each row again from its bytes', async () => {
      const rows = Array.from({ length: 5_000 }, (_, i) => ({ i, text: 'é'.repeat(i % 200) }));
      const long = [{ i: -1, text: 'x'.repeat(700_000) }, ...rows];
      const records = await openRecords(put('long.jsonl', lines(long)));
      let count = 0;
      for await (const batch of records.batches(['i'])) {
        for (let i = 0; i < batch.rows.length; i++)
          expect(records.decodeWhole(batch.raw(i))).toEqual(long[batch.first + i]);
        count += batch.rows.length;
        expect(batch.bytesRead).toBeLessThanOrEqual(records.bytesTotal);
      }
      expect(count).toBe(5_001);
      await records.close();
    });

    it('infers a schema', async () => {
      const file = put(
        'infer.ndjson',
        lines([
          { a: 1, b: 'x', c: [1], e: true },
          { a: 1.5, b: null, c: {}, d: 1, e: false },
        ]),
      );
      expect((await read(file)).schema).toEqual({
        type: 'record',
        name: 'Record',
        fields: [
          { name: 'a', type: 'double' },
          { name: 'b', type: ['null', 'string'] },
          {
            name: 'c',
            type: [
              { type: 'array', items: 'string' },
              { type: 'map', values: 'string' },
            ],
          },
          { name: 'e', type: 'boolean' },
          { name: 'd', type: ['null', 'long'] },
        ],
      });
    });

    it('names the line that is not JSON or no object', async () => {
      const good = Array.from({ length: 20_000 }, (_, i) => ({ i, text: 'padding '.repeat(3) }));
      const file = put('bad.ndjson', `${lines(good)}\n{"a":`);
      expect((await read(file)).error).toMatchObject({ code: 'FILE_CORRUPT', position: 20_002 });
      await expect(openRecords(put('list.ndjson', '{}\n[1]\n'))).rejects.toMatchObject({
        code: 'FILE_CORRUPT',
        message: expect.stringContaining('list.ndjson, line 2: it is no JSON object'),
      });
    });

    it('reads an empty file as no rows', async () => {
      expect((await read(put('none.ndjson', ''))).rows).toEqual([]);
    });

    it('reads a file of which the content is told by option', async () => {
      const file = put('rows.txt', '{"a":1}\n');
      const records = await openRecords(file, { format: 'ndjson' });
      expect(records.format).toBe('ndjson');
      await records.close();
      expect((await readFile(file)).length).toBe(records.bytesTotal);
    });
  });
});
