import type { Expr } from '../../engine/index.js';
import type { Reporter, Span } from '../source/source-file.js';
import { Logic, type SchemaOf } from './constraints.js';

/** Where an expression stands in the text of its condition; `undefined`: nowhere on its own. */
export type PlaceOf = (expr: Expr) => Span | undefined;

/** Warns of what in a condition can never be true, or is always true. */
export function judgeCondition(
  expr: Expr,
  text: string,
  placeOf: PlaceOf,
  schemaOf: SchemaOf,
  reporter: Reporter,
): void {
  const whole: PlaceOf = (part) => {
    const span = placeOf(part);
    return span && closed(text, span);
  };
  new Judge(text, whole, new Logic(schemaOf), reporter).judge(expr);
}

/** The span with the brackets that it opens: the parser leaves out the last one of `!(a > b)`. */
function closed(text: string, { start, end }: Span): Span {
  const count = (char: string): number => text.slice(start, end).split(char).length - 1;
  let to = end;
  for (let open = count('(') - count(')'); open > 0; open--) {
    const next = text.indexOf(')', to);
    if (next < 0 || text.slice(to, next).trim() !== '') break;
    to = next + 1;
  }
  return { start, end: to };
}

const CHANGE_ONE = 'Change one of them, or leave it out.';

class Judge {
  constructor(
    private readonly text: string,
    private readonly placeOf: PlaceOf,
    private readonly logic: Logic,
    private readonly reporter: Reporter,
  ) {}

  /** True: nothing is wrong with the expression or anything inside it. */
  judge(expr: Expr): boolean {
    switch (expr.op) {
      case 'and':
      case 'or':
        return this.junction(expr);
      case 'not':
        return this.placeOf(expr.arg) === undefined ? this.alone(expr) : this.judge(expr.arg);
      default:
        return this.alone(expr);
    }
  }

  private alone(expr: Expr): boolean {
    const place = this.placeOf(expr);
    if (place === undefined || (expr.op === 'const' && expr.value === true)) return true;
    // Told where the list is read.
    if (expr.op === 'in' && expr.values.length === 0) return false;
    const said = this.said(expr);
    if (!this.logic.possible([expr, true])) {
      this.reporter.warning('always-false', place, `${said} is never true.`, 'Leave it out, or correct it.');
    } else if (!this.logic.possible([expr, false])) {
      this.reporter.warning('always-true', place, `${said} is always true.`, 'Leave it out.');
    } else {
      return true;
    }
    return false;
  }

  /** Reports the first part that excludes those before it (of `and`), or that leaves nothing out with them (of `or`). */
  private junction({ op, args }: Extract<Expr, { op: 'and' | 'or' }>): boolean {
    const sound = args.map((arg) => this.judge(arg)).every((fine) => fine);
    if (!sound) return false;
    const truth = op === 'and';
    const at = args.findIndex((_, i) => !this.possible(args.slice(0, i + 1), truth));
    if (at <= 0) return true;
    const last = args[at]!;
    const other = args.slice(0, at).find((arg) => !this.possible([arg, last], truth));
    const others = other === undefined ? 'the parts before it' : this.said(other);
    const place = this.placeOf(last);
    if (place === undefined) return true;
    if (truth) this.reporter.warning('always-false', place, `This is never true together with ${others}.`, CHANGE_ONE);
    else this.reporter.warning('always-true', place, `Either this or ${others} is always true.`, CHANGE_ONE);
    return false;
  }

  private possible(exprs: readonly Expr[], truth: boolean): boolean {
    return this.logic.possible(...exprs.map((expr) => [expr, truth] as const));
  }

  private said(expr: Expr): string {
    const place = this.placeOf(expr);
    return place === undefined ? 'another part' : this.text.slice(place.start, place.end).replace(/\s+/g, ' ');
  }
}
