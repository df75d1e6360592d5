import { ApiProperty, ApiQuery } from '@nestjs/swagger';
import { z } from 'zod';
import { invalidInput } from '../problems/problem.js';

export const LIMIT_MAX = 1000;
const LIMIT_DEFAULT = 100;

/** What all lists are answered in. */
export interface Page<T> {
  readonly items: readonly T[];
  /** To be sent as `cursor` for the next page; `null` at the end. */
  readonly nextCursor: string | null;
}

/** A place in a list: the last item of the page before. */
export interface Cursor {
  readonly at: number;
  readonly id: string;
}

export interface PageQuery {
  readonly limit: number;
  readonly cursor: Cursor | null;
}

/** Opaque to clients: what is in it may change. */
export const writeCursor = ({ at, id }: Cursor): string => Buffer.from(`${at} ${id}`).toString('base64url');

function readCursor(text: string): Cursor | null {
  const match = /^(-?\d{1,16}) (.+)$/s.exec(Buffer.from(text, 'base64url').toString());
  return match ? { at: Number(match[1]), id: match[2] as string } : null;
}

/** The two parameters of every list, for schemas of queries. */
export const pageShape = {
  limit: z.coerce.number().int().min(1).max(LIMIT_MAX).default(LIMIT_DEFAULT),
  cursor: z
    .string()
    .transform((text, context) => {
      const cursor = readCursor(text);
      if (cursor !== null) return cursor;
      context.addIssue({ code: 'custom', message: 'expected the `nextCursor` of an earlier answer' });
      return z.NEVER;
    })
    .optional(),
};

const plainQuery = z.strictObject(pageShape);

/** Throws a problem with all that is wrong. */
export function checkQuery<T extends z.ZodType>(schema: T, query: unknown): z.output<T> {
  const parsed = schema.safeParse(query);
  if (parsed.success) return parsed.data;
  throw invalidInput(
    'The query does not hold.',
    parsed.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message })),
  );
}

export function readPageQuery(query: unknown): PageQuery {
  const { limit, cursor } = checkQuery(plainQuery, query);
  return { limit, cursor: cursor ?? null };
}

/** A page of what is at hand whole. An item that has gone since the page before ends nothing: its place is known, too. */
export function pageOf<T>(all: readonly T[], { limit, cursor }: PageQuery, idOf: (item: T) => string): Page<T> {
  const known = cursor === null ? -1 : all.findIndex((item) => idOf(item) === cursor.id);
  const begin = cursor === null ? 0 : known >= 0 ? known + 1 : cursor.at;
  const items = all.slice(begin, begin + limit);
  const end = begin + items.length;
  return { items, nextCursor: end < all.length ? writeCursor({ at: end, id: idOf(items.at(-1)!) }) : null };
}

/** A page of what was asked for with one more than `limit`. */
export function pageFrom<T>(found: readonly T[], limit: number, cursorOf: (item: T) => Cursor): Page<T> {
  const items = found.slice(0, limit);
  return { items, nextCursor: found.length > limit ? writeCursor(cursorOf(items.at(-1)!)) : null };
}

/** The parameters of a list in OpenAPI. */
export function ApiPage(): MethodDecorator {
  const queries = [
    ApiQuery({
      name: 'limit',
      required: false,
      type: Number,
      description: `1 to ${LIMIT_MAX}; ${LIMIT_DEFAULT} when absent`,
    }),
    ApiQuery({ name: 'cursor', required: false, type: String, description: '`nextCursor` of the page before' }),
  ];
  return (target, name, descriptor) => {
    for (const decorate of queries) decorate(target, name, descriptor);
  };
}

/** What pages have beside `items`. */
export abstract class PageDto {
  @ApiProperty({ type: String, nullable: true, description: 'Send it as `cursor` for the next page; null at the end.' })
  readonly nextCursor!: string | null;
}
