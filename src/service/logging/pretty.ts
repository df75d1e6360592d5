/** Turns pino's JSON lines into lines for people: time, level where it is not info, message, then what else there is. */

const levels: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: '',
  40: 'WARN',
  50: 'ERROR',
  60: 'FATAL',
};
const colours: Readonly<Record<number, string>> = { 10: '2', 20: '2', 40: '33', 50: '31', 60: '31' };

export interface PrettyOptions {
  readonly colour: boolean;
}

interface Line {
  readonly level: number;
  readonly time: number;
  readonly msg?: string;
  readonly context?: string;
  readonly err?: { readonly message?: string; readonly stack?: string };
  readonly [name: string]: unknown;
}

const hidden = new Set(['level', 'time', 'msg', 'context', 'err', 'pid', 'hostname', 'name']);

export function prettyLine(json: string, { colour }: PrettyOptions): string {
  const line = JSON.parse(json) as Line;
  const paint = (code: string, text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const rest = Object.entries(line).filter(([name]) => !hidden.has(name));
  const level = levels[line.level] ?? String(line.level);
  const parts = [
    paint('2', new Date(line.time).toISOString().slice(11, 23)),
    ...(level === '' ? [] : [paint(colours[line.level] ?? '0', level)]),
    line.msg ?? line.err?.message ?? '',
    ...rest.map(([name, value]) => paint('2', `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)),
  ];
  const trace = line.err?.stack === undefined || line.level < 50 ? '' : `\n${paint('2', line.err.stack)}`;
  return `${parts.join(' ')}${trace}\n`;
}
