import { Counter, Gauge, type Registry } from 'prom-client';

export type Labels = Readonly<Record<string, string | number>>;
/** A value with its labels. */
export type Sample = readonly [labels: Labels, value: number];

/** Metrics whose values are kept elsewhere, and are read when Prometheus asks. */
export class Readings {
  constructor(private readonly registry: Registry) {}

  counter(name: string, help: string, read: () => number): void {
    this.counters(name, help, [], () => [[{}, read()]]);
  }

  /** `null`: there is nothing to tell, and no sample. */
  gauge(name: string, help: string, read: () => number | null): void {
    this.gauges(name, help, [], () => {
      const value = read();
      return value === null ? [] : [[{}, value]];
    });
  }

  counters(name: string, help: string, labelNames: readonly string[], read: () => Iterable<Sample>): void {
    new Counter({
      ...{ name, help, labelNames, registers: [this.registry] },
      collect() {
        this.reset();
        for (const [labels, value] of read()) this.inc(labels, value);
      },
    });
  }

  gauges(name: string, help: string, labelNames: readonly string[], read: () => Iterable<Sample>): void {
    new Gauge({
      ...{ name, help, labelNames, registers: [this.registry] },
      collect() {
        this.reset();
        for (const [labels, value] of read()) this.set(labels, value);
      },
    });
  }
}
