import type { ComponentChildren } from 'preact';

interface ScrollXProps {
  readonly label: string;
  /** Whether it is wider than its place; the keys reach it then. */
  readonly scrolls?: boolean;
  readonly children: ComponentChildren;
}

/** What may be wider than the page. */
export function ScrollX({ label, scrolls = true, children }: ScrollXProps) {
  return (
    <section class="scroll-x" aria-label={label} tabIndex={scrolls ? 0 : undefined}>
      {children}
    </section>
  );
}
