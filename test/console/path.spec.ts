/** The way of an analyst through the console: an alert, why it fired, a rule of her own, from a mistake to live and back. */
import type { Page } from 'playwright-core';
import { breachesInBothThemes, Consoles, write } from './kit/console.js';

let consoles: Consoles;
let page: Page;
beforeAll(async () => {
  consoles = await Consoles.start();
  page = await consoles.page();
});
afterAll(() => consoles.stop());

const RULE = `id: two-large
title: Two large transfers in ten minutes
status: draft
key: accountId
within: 10m
pattern:
  - begin: first
    subtype: Transfer
    where: amount > 7000.0
  - followedBy: second
    subtype: Transfer
    where: amout > 7000.0
alert:
  severity: high
  message: "{{ first.amount }}, then {{ second.amount }}"
`;
const TESTS = `tests:
  - name: fires
    events:
      - {id: t1, at: 0m, accountId: A1, type: Transfer, amount: 8000}
      - {id: t2, at: 5m, accountId: A1, type: Transfer, amount: 9000}
    alerts:
      - steps: {first: t1, second: t2}
  - name: stays quiet
    events:
      - {id: t1, at: 0m, accountId: A1, type: Transfer, amount: 10}
      - {id: t2, at: 5m, accountId: A1, type: Transfer, amount: 9000}
    alerts: []
`;

const transfer = (n: number, at: number) => ({
  ...{ transactionId: `path-${n}`, accountId: 'acc-of-the-path', eventTime: at + n, type: 'Transfer' },
  amount: 8000 + n,
});
const region = (name: string) => page.getByRole('region', { name, exact: true });
const button = (name: string) => page.getByRole('button', { name, exact: true });
const status = (word: string) => page.locator('.page-head .badge', { hasText: new RegExp(`^${word}$`) });

async function publish(as: string, why: string): Promise<void> {
  await button('Publish…').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText(as, { exact: true }).click();
  await dialog.getByLabel('Your name').fill('ann');
  await dialog.getByLabel('Why (kept in the history)').fill(why);
  await dialog.getByRole('button', { name: 'Publish', exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
}

describe('an analyst', () => {
  it('sees the first alert come, and why it fired', async () => {
    await page.goto(consoles.url);
    await page.locator('.feed-row').first().click();
    await page.locator('.time-line circle').first().waitFor();
    await region('Why it fired').locator('code').first().waitFor();
    expect(await region('Why it fired').locator('.pair b').count()).toBeGreaterThan(0);
    const verdict = region('Your verdict');
    await verdict.getByText('No fraud').click();
    await verdict.getByLabel('Note').fill('Known customer');
    await verdict.getByRole('button', { name: 'Save verdict' }).click();
    await verdict.getByText('Known customer', { exact: true }).waitFor();
    await page.locator('.alert-head .badge', { hasText: 'no fraud' }).waitFor();
  });

  it('writes a rule with a mistake, is told where it is and what to do, and mends it', async () => {
    await page.goto(`${consoles.url}/#/patterns/new`);
    await write(page, 'The rule, in YAML', RULE);
    const problem = page.getByRole('list', { name: 'Errors and warnings' }).getByRole('button');
    await problem.filter({ hasText: '12:12' }).filter({ hasText: 'Did you mean amount?' }).waitFor();
    expect(await button('Publish…').isDisabled()).toBe(true);
    // As a person does it: to the place, and letter by letter.
    await problem.filter({ hasText: '12:12' }).click();
    for (const _ of 'amout') await page.keyboard.press('Delete');
    await page.keyboard.type('amount');
    await problem.filter({ hasText: 'error' }).waitFor({ state: 'detached' });
    await region('Automaton').locator('.state.final').waitFor();
  });

  it('runs its tests in place', async () => {
    await button('Edit tests.yaml').click();
    await write(page, 'Tests of the rule, in YAML', TESTS);
    await region('Tests').getByRole('button', { name: 'Run' }).click();
    await region('Tests').getByText('2 passed, 0 failed').waitFor();
    await write(page, 'Tests of the rule, in YAML', TESTS.replace('amount: 10}', 'amount: 7500}'));
    await region('Tests').getByRole('button', { name: 'Run' }).click();
    await region('Tests').getByText('1 passed, 1 failed').waitFor();
  });

  it('measures it over what has been', async () => {
    const now = Date.now() - 60_000;
    await consoles.send([transfer(1, now), transfer(2, now)]);
    await region('Back-test').getByRole('button', { name: 'Run' }).click();
    await region('Back-test').getByText('done', { exact: true }).waitFor();
    const report = await region('Back-test').getByRole('link', { name: 'Open the report' }).getAttribute('href');
    expect(await (await fetch(`${consoles.url}/${report}`)).text()).toContain('two-large');
  });

  it('runs it in shadow, and promotes it', async () => {
    await publish('shadow', 'Let us see');
    await status('shadow').waitFor();
    // Its tests are published with it: there is no draft of it in this browser.
    await button('Edit tests.yaml').click();
    await page.getByRole('textbox', { name: 'Tests of the rule, in YAML' }).getByText('stays quiet').waitFor();
    await page.getByRole('link', { name: 'Shadow and live' }).click();
    await page.getByText('Against the live alerts of').waitFor();
    await page.getByRole('link', { name: 'Rule', exact: true }).click();
    await publish('live', 'It finds what it should');
    await status('live').waitFor();
    const now = Date.now();
    await consoles.send([transfer(3, now), transfer(4, now)]);
    await page.getByRole('link', { name: 'Its alerts' }).click();
    await page.locator('.feed-row', { hasText: 'acc-of-the-path' }).first().waitFor();
  });

  it('takes it back', async () => {
    await page.goto(`${consoles.url}/#/revisions`);
    const revision = (n: number) =>
      page
        .getByRole('listitem')
        .filter({ hasText: `Revision ${n}` })
        .first();
    await revision(2).getByRole('button', { name: 'What changed' }).click();
    await revision(2).getByRole('textbox', { name: 'After' }).first().waitFor();
    expect(await breachesInBothThemes(page)).toEqual([]);
    await revision(1).getByRole('button', { name: 'Bring back…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Why').fill('Too many');
    await dialog.getByRole('button', { name: 'Bring back', exact: true }).click();
    await revision(3).getByText('back to 1').waitFor();
    await page.goto(`${consoles.url}/#/patterns/two-large`);
    await status('shadow').waitFor();
  });

  it('keeps a list, and is told from which record on it is asked as it is now', async () => {
    await page.goto(`${consoles.url}/#/lists`);
    await button('New list…').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name, as rules ask it').fill('watched');
    await dialog.getByRole('button', { name: 'Make it' }).click();
    await page.getByText('The list is empty').waitFor();
    await consoles.put('patterns/watched-account', {
      yaml: `id: watched-account\nkey: accountId\nwithin: 10m\npattern:\n  - begin: any\n    where: accountId in list('watched')\n`,
      author: 'ann',
    });
    await page.getByRole('link', { name: 'watched-account' }).waitFor();
    await button('Add an entry…').click();
    await dialog.getByLabel('Entry').fill('acc-of-the-list');
    await dialog.getByLabel('Why').fill('case 4711');
    await dialog.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('status').getByText('acc-of-the-list is in watched.').waitFor();
    await page
      .locator('.places li', { hasText: /from record [\d,]+ on/ })
      .first()
      .waitFor();
    await page.getByLabel('Find an entry').fill('no such');
    await page.getByText('Nothing in it has “no such”').waitFor();
    await page.getByLabel('Find an entry').fill('OF-the');
    expect(await breachesInBothThemes(page)).toEqual([]);
    await button('Remove acc-of-the-list').click();
    await dialog.getByRole('button', { name: 'Remove', exact: true }).click();
    await page.getByRole('status').getByText('acc-of-the-list is gone.').waitFor();
  });

  it('snoozes a key, and ends that', async () => {
    await page.goto(`${consoles.url}/#/alerts`);
    await page.locator('.feed-row').first().click();
    await page.getByLabel('Snooze this pattern for this key').selectOption('for 1 day');
    await page.getByText('Snoozed for 1 day').waitFor();
    await page.goto(`${consoles.url}/#/snoozes`);
    const row = page.getByRole('row').filter({ hasText: 'in 23 h' });
    await row.getByRole('link').first().waitFor();
    expect(await breachesInBothThemes(page)).toEqual([]);
    await row
      .getByRole('button', { name: /^End the snooze of/ })
      .first()
      .click();
    await page.getByText('No key is snoozed').waitFor();
  });

  it('met no error of the page, and nothing that the content security policy kept out', () => {
    expect(consoles.complaints).toEqual([]);
  });
});
