import type pg from 'pg';
import type { SqlType } from './sql-database.js';

const BOOLEAN = 16;

/** By the ids of PostgreSQL's own types. */
const TYPES: Readonly<Record<number, SqlType>> = {
  [BOOLEAN]: 'boolean',
  20: 'integer',
  21: 'integer',
  23: 'integer',
  26: 'integer',
  700: 'number',
  701: 'number',
  1700: 'number',
  1114: 'time',
  1184: 'time',
};

export const typeOfPostgres = (id: number): SqlType => TYPES[id] ?? 'text';

const asIs = (text: string): string => text;
const asWord = (text: string): string => (text === 't' ? 'true' : 'false');

/** Values stay the texts that the server sends. */
export const exactTexts = {
  getTypeParser: (id: number) => (id === BOOLEAN ? asWord : asIs),
} as unknown as pg.CustomTypesConfig;
