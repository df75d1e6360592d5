import { dayAndTime, duration, plural } from '../lib/format.js';
import { useSize } from '../lib/hooks.js';
import { type Bin, binned } from './counts.js';

export const perDay = binned;

const HIGH = 96;

/** Counts as bars; a bar says its own when one points at it. */
export function DayChart({ counts }: { readonly counts: readonly Bin[] }) {
  const [attach, { width }] = useSize<HTMLDivElement>();
  const most = Math.max(1, ...counts.map(({ count }) => count));
  const all = counts.reduce((sum, { count }) => sum + count, 0);
  const step = Math.min(40, width / Math.max(1, counts.length));
  const [first, last] = [counts[0]!, counts.at(-1)!];
  const name = `${plural(all, 'alert')} from ${dayAndTime(first.from)} to ${dayAndTime(last.to)}, at most ${most} in ${duration(first.to - first.from)}`;
  return (
    <div ref={attach} class="chart">
      {width > 0 && (
        <svg width={width} height={HIGH + 20} role="img" aria-label={name}>
          <line class="base" x1={0} x2={width} y1={HIGH + 0.5} y2={HIGH + 0.5} />
          {counts.map(({ from, count }, n) => (
            <rect
              key={from}
              x={n * step + 1}
              y={HIGH - (count / most) * (HIGH - 14)}
              width={Math.max(1, step - 2)}
              height={(count / most) * (HIGH - 14)}
            >
              <title>{`${dayAndTime(from)}: ${count}`}</title>
            </rect>
          ))}
          <text x={0} y={HIGH + 15}>
            {dayAndTime(first.from)}
          </text>
          <text x={Math.min(width, counts.length * step)} y={HIGH + 15} text-anchor="end">
            {counts.length * step > 260 ? dayAndTime(last.to) : ''}
          </text>
          <text x={0} y={10}>
            {most} in {duration(first.to - first.from)}
          </text>
        </svg>
      )}
    </div>
  );
}
