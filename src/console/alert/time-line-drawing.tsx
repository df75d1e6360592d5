import type { AlertStep } from '../api/types.js';
import { duration, plural, wholeTime } from '../lib/format.js';
import { useSize } from '../lib/hooks.js';
import { timeLine } from './time-line.js';

const LANE = 30;
const AXIS = 22;
const RIGHT = 18;

interface TimeLineProps {
  readonly steps: readonly AlertStep[];
  readonly chosen: string | null;
  readonly onChoose: (id: string) => void;
}

/** The events of an alert over time, a lane for each step. What it shows is in the table below it too. */
export function TimeLineDrawing({ steps, chosen, onChoose }: TimeLineProps) {
  const [attach, { width }] = useSize<HTMLDivElement>();
  const names = width < 520 ? 84 : 128;
  const line = timeLine(steps, width < 520 ? 3 : 6);
  const x = (at: number) => names + 10 + at * Math.max(10, width - names - 10 - RIGHT);
  const y = (step: number) => step * LANE + LANE / 2;
  const height = steps.length * LANE + AXIS;
  const ordered = [...line.events].sort((a, b) => a.time - b.time);
  return (
    <div ref={attach} class="time-line">
      {width > 0 && (
        <svg
          width={width}
          height={height}
          role="img"
          aria-label={`${plural(line.events.length, 'event')} in ${duration(line.to - line.from)}`}
        >
          {line.ticks.map(({ at, ms }) => (
            <g key={ms} class="tick">
              <line x1={x(at)} x2={x(at)} y1={0} y2={height - AXIS} />
              <text x={x(at)} y={height - 6} text-anchor={at === 1 ? 'end' : at === 0 ? 'start' : 'middle'}>
                {ms === 0 ? 'first event' : `+${duration(ms)}`}
              </text>
            </g>
          ))}
          {steps.map(({ step }, n) => (
            <g key={step}>
              <line class="lane" x1={names} x2={width - 4} y1={y(n)} y2={y(n)} />
              <text class="name" x={0} y={y(n) + 4}>
                {step.length > names / 7.2 ? `${step.slice(0, Math.floor(names / 7.2) - 1)}…` : step}
              </text>
            </g>
          ))}
          <polyline class="path" points={ordered.map((event) => `${x(event.at)},${y(event.step)}`).join(' ')} />
          {line.events.map((event) => (
            // biome-ignore lint/a11y/noStaticElementInteractions: the table below it has the same events, with buttons.
            <circle
              key={event.id}
              class={`event ${event.id === chosen ? 'chosen' : ''}`}
              cx={x(event.at)}
              cy={y(event.step) - event.beside * 4}
              r={event.id === chosen ? 7 : 5.5}
              onClick={() => onChoose(event.id)}
            >
              <title>{`${steps[event.step]!.step}: ${event.id}, ${wholeTime(event.time)}`}</title>
            </circle>
          ))}
        </svg>
      )}
    </div>
  );
}
