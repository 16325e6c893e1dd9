import type { BacktestReport } from '../../replay/backtest/report.js'
import type { ScoreReport } from '../../replay/backtest/score.js'
import { formatDuration } from '../../time/duration.js'
import { count } from '../table.js'
import { differenceSection } from './difference-section.js'
import { html, Markup, type Part } from './markup.js'
import { matchTable } from './match-table.js'
import { PAGE_STYLE } from './page-style.js'
import { percent, problemsOf } from './print-backtest.js'
import { timelinePicture } from './timeline-picture.js'

/** Most matches and examples in the page; what is left out is counted. */
const MOST_ROWS = 500

/**
 * A report as one page that needs no other file and no network: it can be mailed, and opened anywhere. Whatever is in the
 * events and the rule is text in it.
 */
export function reportPage(report: BacktestReport): string {
  const { rule, stream, range, score, difference } = report
  const title = `${rule.name}: backtest over ${stream}`
  const notes = problemsOf(report)
  const span = range.begins === null ? range.ends : `${range.begins} to ${range.ends}`
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <meta name="generator" content="millrace backtest" />
        <title>${title}</title>
        <style>
          ${new Markup(PAGE_STYLE)}
        </style>
      </head>
      <body>
        <header>
          <h1>${rule.name}</h1>
          <p>
            Backtest over <b>${stream}</b>, sequences ${count(range.first)} to ${count(range.last)}, stored ${span}.
            Nothing was published.
          </p>
          ${range.before.events > 0 && html`<p class="soft">${count(range.before.events)} events before it were read for what began earlier; ${count(range.before.matches)} matches among them are not counted.</p>`}
        </header>
        <main>
          ${figures(report)}
          ${notes.length > 0 && html`<div class="notes" role="note">${notes.map((note) => html`<p>${note}</p>`)}</div>`}
          <section>
            <h2>Timeline</h2>
            ${timelinePicture(report)}
          </section>
          ${score !== null && scoreSection(score, report.scoreAgainst)}
          ${difference !== null && differenceSection(difference)}
          <section>
            <h2>Matches</h2>
            ${matchTable(report.found.slice(0, MOST_ROWS), report.matches)}
          </section>
          ${ruleSection(report)}
        </main>
      </body>
    </html> `.text
}

function ruleSection({ rule: { file, hash, text } }: BacktestReport): Markup {
  if (text === null) return html``
  return html`<section>
    <h2>The rule</h2>
    <p class="soft">${file ?? ''} <code>${hash}</code></p>
    <pre tabindex="0"><code>${text}</code></pre>
  </section>`
}

function figures({ matches, events, score, difference, speed }: BacktestReport): Markup {
  const figure = (name: string, value: Part, detail: Part = null): Markup =>
    html`<div>
      <dt>${name}</dt>
      <dd>${value}${detail !== null && html`<small>${detail}</small>`}</dd>
    </div>`
  const seconds = formatDuration(Math.round(speed.seconds * 1_000))
  return html`<dl class="figures">
    ${figure('Matches', count(matches))}${figure('Events', count(events), `${count(speed.eventsPerSecond)}/s in ${seconds}`)}
    ${score !== null && html`${figure('Precision', percent(score.precision))}${figure('Recall', percent(score.recall))}`}
    ${difference !== null && html`${figure('In both', count(difference.common))}${figure('Only here', count(difference.onlyHere))}${figure('Only there', count(difference.onlyThere))}`}
  </dl>`
}

function scoreSection(score: ScoreReport, against: ScoreReport | null): Markup {
  const { label, by, kind, truePositives, matches, found, labelled, examples } = score
  const what = by === 'key' ? 'keys' : kind === 'event' ? 'label events' : 'labelled events'
  const bar = (name: string, value: number | null, look: string): Markup =>
    html`<span>${name}</span
      ><svg
        class="bar"
        viewBox="0 0 100 1"
        preserveAspectRatio="none"
        role="img"
        aria-label="${name} ${percent(value)}"
      >
        <rect class="${look}" width="${(value ?? 0) * 100}" height="1"></rect></svg
      ><b>${percent(value)}</b>`
  const bars = (one: ScoreReport, look: string): Markup =>
    html`<div class="bars">
      ${bar('Precision', one.precision, look)}${bar('Recall', one.recall, look)}${bar('F1', one.f1, look)}
    </div>`
  const missed = html`<details>
    <summary>What it missed</summary>
    <ul>
      ${examples.missed.map(({ key, sequence }) => html`<li>${key}, sequence ${count(sequence)}</li>`)}
    </ul>
  </details>`
  return html`<section>
    <h2>Against the label</h2>
    <p>
      <code>${label}</code>: ${count(truePositives)} of ${count(matches)} matches are right, ${count(found)} of
      ${count(labelled)} ${what} were found.
    </p>
    ${bars(score, 'here')}${
      against !== null &&
      html`<h3>The other rule</h3>
        ${bars(against, 'there')}`
    }${examples.missed.length > 0 && missed}
  </section>`
}
