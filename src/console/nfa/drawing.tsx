import type { Automaton, AutomatonState, StepOutline } from '../api/types.js';
import { duration } from '../lib/format.js';
import { useSize } from '../lib/hooks.js';
import { ScrollX } from '../parts/scroll-x.js';
import { type Box, type Link, layOut } from './layout.js';

const WIDE = 94;
const HIGH = 38;
const GAP_X = 38;
const GAP_Y = 46;
const TOP = 44;
const SMALLEST = 0.58;

interface NfaProps {
  readonly automaton: Automaton;
  readonly steps: readonly StepOutline[];
}

/** The automaton of a pattern: what an event can do in each state. */
export function NfaDrawing({ automaton, steps }: NfaProps) {
  const [attach, { width }] = useSize<HTMLDivElement>();
  const { boxes, links, columns, rows } = layOut(automaton);
  const full = columns * WIDE + (columns - 1) * GAP_X + 24;
  const height = TOP + rows * HIGH + (rows - 1) * GAP_Y + 34;
  const scale = width === 0 ? 1 : Math.min(1, Math.max(SMALLEST, width / full));
  const words = steps.map(({ name, where }) => `${name}: ${where ?? 'any event'}`).join('; ');
  return (
    <div class="nfa" ref={attach}>
      <ScrollX label="States of the automaton" scrolls={full * scale > width}>
        <svg
          width={full * scale}
          height={height * scale}
          viewBox={`0 0 ${full} ${height}`}
          role="img"
          aria-label={`Automaton of ${automaton.states.length} states. ${words}`}
        >
          <defs>
            {(['take', 'ignore', 'proceed'] as const).map((action) => (
              <marker
                key={action}
                id={`arrow-${action}`}
                viewBox="0 0 8 8"
                refX="7"
                refY="4"
                markerWidth="7"
                markerHeight="7"
                orient="auto-start-reverse"
              >
                <path class={`head ${action}`} d="M0 0 8 4 0 8Z" />
              </marker>
            ))}
          </defs>
          {links.map((link) => (
            <Arrow key={`${link.from} ${link.to} ${link.action} ${link.beside}`} link={link} boxes={boxes} />
          ))}
          {boxes.map((box) => (
            <State
              key={box.state}
              box={box}
              state={automaton.states[box.state]!}
              isStart={box.state === automaton.start}
            />
          ))}
        </svg>
      </ScrollX>
      <ul class="row legend">
        <li class="take">take: the event joins the match</li>
        <li class="ignore">ignore: it is passed over</li>
        <li class="proceed">proceed: on without it</li>
        {automaton.windowMs > 0 && <li>within {duration(automaton.windowMs)}</li>}
      </ul>
    </div>
  );
}

const left = ({ column }: Box): number => 12 + column * (WIDE + GAP_X);
const top = ({ row }: Box): number => TOP + row * (HIGH + GAP_Y);

function State({
  box,
  state,
  isStart,
}: {
  readonly box: Box;
  readonly state: AutomatonState;
  readonly isStart: boolean;
}) {
  const { type, gapMs } = state;
  const name = type === 'final' ? 'match' : type === 'stop' ? `not ${state.step}` : state.step;
  const [x, y] = [left(box), top(box)];
  return (
    <g class={`state ${type} ${isStart ? 'first' : ''}`}>
      <title>{`${state.name}${gapMs > 0 ? `, at most ${duration(gapMs)} after the event before` : ''}`}</title>
      <rect x={x} y={y} width={WIDE} height={HIGH} rx={type === 'final' ? 19 : 7} />
      <text x={x + WIDE / 2} y={y + HIGH / 2 + 4} text-anchor="middle">
        {name.length > 12 ? `${name.slice(0, 11)}…` : name}
      </text>
    </g>
  );
}

function Arrow({ link, boxes }: { readonly link: Link; readonly boxes: readonly Box[] }) {
  const [from, to] = [boxes[link.from]!, boxes[link.to]!];
  const way = pathOf(link, from, to);
  return (
    <g class={`link ${link.action}`}>
      <title>{`${link.action}${link.when === '' ? ': every event' : `: ${link.when}`}`}</title>
      <path d={way} class="wide" />
      <path d={way} marker-end={`url(#arrow-${link.action})`} />
    </g>
  );
}

function pathOf({ kind, beside }: Link, from: Box, to: Box): string {
  const [fx, fy, tx, ty] = [left(from), top(from), left(to), top(to)];
  if (kind === 'self') {
    const x = fx + WIDE / 2 + (beside - 0.5) * 40;
    return `M${x - 12} ${fy} C${x - 18} ${fy - 32} ${x + 18} ${fy - 32} ${x + 12} ${fy}`;
  }
  if (kind === 'across') {
    const x = fx + WIDE / 2 + 14 + beside * 12;
    return fy < ty ? `M${x} ${fy + HIGH} L${x} ${ty}` : `M${x} ${fy} L${x} ${ty + HIGH}`;
  }
  if (kind === 'back') {
    const [x1, x2, y] = [fx + WIDE / 2 - 18, tx + WIDE / 2 + 18, Math.max(fy, ty) + HIGH];
    const low = y + 26 + beside * 10;
    return `M${x1} ${fy + HIGH} C${x1} ${low} ${x2} ${low} ${x2} ${ty + HIGH}`;
  }
  const far = to.column - from.column > 1;
  const y1 = fy + HIGH / 2 + (beside - 0.5) * (beside === 0 && !far ? 0 : 12);
  const y2 = ty + HIGH / 2 + (y1 - fy - HIGH / 2);
  if (far && from.row === to.row) {
    const [x1, x2, high] = [fx + WIDE - 20, tx + 20, fy - 26 - beside * 10];
    return `M${x1} ${fy} C${x1 + 20} ${high} ${x2 - 20} ${high} ${x2} ${ty}`;
  }
  const bend = (tx - fx - WIDE) / 2;
  return `M${fx + WIDE} ${y1} C${fx + WIDE + bend} ${y1} ${tx - bend} ${y2} ${tx} ${y2}`;
}
