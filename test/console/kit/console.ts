/** The console in a real browser, on the real service: nothing between them is made up. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { built } from '../../e2e/kit/build.js';
import { CliProcess } from '../../harness/cli-process.js';
import { until } from '../../harness/until.js';

const WAIT_MS = 90_000;
export const WIDE = { width: 1280, height: 800 } as const;
export const PHONE = { width: 390, height: 844 } as const;

const POLICY = 'kept out: ';
/**
 * What the content security policy keeps out is told on the console; but for the style that Chromium itself gives to text that replaces a
 * selection in an editor, which means nothing there.
 */
const TELL_POLICY = `addEventListener('securitypolicyviolation', (event) => {
  if (event.effectiveDirective === 'style-src-attr' && event.target.classList?.contains('editor-host')) return;
  console.log('${POLICY}' + event.effectiveDirective + ' ' + event.blockedURI + ' ' + event.target.outerHTML);
}, true)`;

export class Consoles {
  /** What pages complained of: errors of scripts, and what the content security policy kept from them. */
  readonly complaints: string[] = [];
  private readonly contexts: BrowserContext[] = [];

  private constructor(
    readonly url: string,
    private readonly service: CliProcess,
    private readonly browser: Browser,
    private readonly folder: string,
  ) {}

  /** Starts the service with a demo of some transactions a second, and the browser. */
  static async start(env: Readonly<Record<string, string>> = {}): Promise<Consoles> {
    await built();
    const folder = mkdtempSync(join(tmpdir(), 'stakeout-console-'));
    const service = CliProcess.start(['start'], {
      cwd: folder,
      env: { HTTP_PORT: '0', STAKEOUT_DEMO_RATE: '50', ...env },
    });
    const said = await service.untilSaid(/health\s+(http:\S+)\/health\/ready/);
    await until(async () => (await fetch(`${said}/health/ready`)).status === 200, 'readiness');
    const browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      // In containers there is neither the sandbox's kernel interface nor much shared memory.
      args: ['--no-sandbox', '--disable-dev-shm-usage'],
    });
    return new Consoles(said, service, browser, folder);
  }

  async page(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.browser.newContext({ viewport: WIDE, reducedMotion: 'reduce', ...options });
    this.contexts.push(context);
    context.setDefaultTimeout(WAIT_MS);
    const page = await context.newPage();
    page.on('pageerror', (error) => this.complaints.push(error.message));
    await page.addInitScript(TELL_POLICY);
    page.on('console', (message) => {
      if (message.text().startsWith(POLICY)) this.complaints.push(message.text());
    });
    return page;
  }

  /** The id of an alert that is there. */
  async anAlert(): Promise<string> {
    const page = await this.page();
    await page.goto(this.url);
    const id = await page.locator('.feed-row').first().getAttribute('id');
    await page.close();
    return id!.replace('alert-', '');
  }

  /** Transactions, as a client of the service sends them. */
  async send(transactions: readonly object[]): Promise<void> {
    const answer = await fetch(`${this.url}/v1/transactions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(transactions),
    });
    if (answer.status !== 202) throw new Error(await answer.text());
  }

  /** Puts something, as a client of the service does. */
  async put(path: string, body: object): Promise<void> {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${this.url}/v1/${path}`, { method: 'PUT', headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(await answer.text());
  }

  async stop(): Promise<void> {
    for (const context of this.contexts) await context.close();
    await this.browser.close();
    await this.service.end('SIGTERM');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Breaches of WCAG 2.2, levels A and AA, and of what axe calls good practice, in words. */
async function breaches(page: Page, of: 'all' | 'colours' = 'all'): Promise<readonly string[]> {
  const axe = new AxeBuilder({ page });
  if (of === 'colours') axe.withRules(['color-contrast', 'link-in-text-block']);
  else axe.withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']);
  const { violations } = await axe.analyze();
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary ?? ''}`),
  );
}

/** The same of a page as it stands, in the light theme and then in the colours of the dark one, for what a page cannot be opened to. */
export async function breachesInBothThemes(page: Page): Promise<readonly string[]> {
  const inLight = await breaches(page);
  await page.emulateMedia({ colorScheme: 'dark' });
  const inDark = await breaches(page, 'colours');
  await page.emulateMedia({ colorScheme: 'light' });
  return [...inLight, ...inDark.map((breach) => `dark: ${breach}`)];
}

/** Puts a text in the place of all that stands in an editor. */
export async function write(page: Page, label: string, text: string): Promise<void> {
  const editor = page.getByRole('textbox', { name: label });
  await editor.click();
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.insertText(text);
}
