import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useSize } from '../lib/hooks.js';

interface VirtualListProps<T> {
  readonly rows: readonly T[];
  /** All rows have this height, in CSS pixels. */
  readonly rowHeight: number;
  readonly idOf: (row: T) => string;
  readonly row: (row: T, index: number) => ComponentChildren;
  readonly label: string;
  readonly onTop?: (atTop: boolean) => void;
  /** The end comes into sight. */
  readonly onEnd?: () => void;
  /** Row to keep in sight; null: none. */
  readonly current: number | null;
}

const MORE = 6;

/** Only the rows in sight are there, however many there are. */
export function VirtualList<T>(props: VirtualListProps<T>) {
  const { rows, rowHeight, idOf, row, label, onTop, onEnd, current } = props;
  const [attach, { height }] = useSize<HTMLDivElement>();
  const [top, setTop] = useState(0);
  const box = useRef<HTMLDivElement | null>(null);
  const first = Math.max(0, Math.floor(top / rowHeight) - MORE);
  const last = Math.min(rows.length, Math.ceil((top + height) / rowHeight) + MORE);
  useEffect(() => {
    if (height > 0 && last >= rows.length) onEnd?.();
  }, [last, rows.length, height, onEnd]);
  useEffect(() => {
    const element = box.current;
    if (element === null || current === null) return;
    const [from, to] = [current * rowHeight, (current + 1) * rowHeight];
    if (from < element.scrollTop) element.scrollTop = from;
    else if (to > element.scrollTop + element.clientHeight) element.scrollTop = to - element.clientHeight;
  }, [current, rowHeight]);
  return (
    <div
      class="virtual"
      ref={(element) => {
        if (box.current === element) return;
        box.current = element;
        attach(element);
      }}
      onScroll={({ currentTarget }) => {
        setTop(currentTarget.scrollTop);
        onTop?.(currentTarget.scrollTop < rowHeight / 2);
      }}
    >
      <ol aria-label={label} style={{ height: `${rows.length * rowHeight}px` }}>
        {rows.slice(first, last).map((item, n) => (
          <li
            key={idOf(item)}
            style={{ transform: `translateY(${(first + n) * rowHeight}px)`, height: `${rowHeight}px` }}
            aria-setsize={rows.length}
            aria-posinset={first + n + 1}
          >
            {row(item, first + n)}
          </li>
        ))}
      </ol>
    </div>
  );
}
