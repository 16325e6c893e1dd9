import type { MatchReport } from '../../replay/backtest/found-match.js'
import type { DifferenceReport, OutputReport } from '../../replay/backtest/report.js'
import { count } from '../table.js'
import { html, type Markup } from './markup.js'
import { dataOf, matchTable } from './match-table.js'

/** What a rule would change. */
export function differenceSection(difference: DifferenceReport): Markup {
  const { kind, common, otherwise, onlyHere, onlyThere, ahead, same, examples } = difference
  const rows: readonly (readonly [string, number])[] = [
    ['In both', common],
    [kind === 'live' ? 'With other content' : 'With other events', otherwise],
    ['Only here', onlyHere],
    ['Only there', onlyThere],
    ['Not yet live', ahead],
  ]
  const shown = rows.filter(([name, times]) => times > 0 || !name.startsWith('Not'))
  const verdict = same ? html`<b class="good">the same</b>` : html`<b class="bad">not the same</b>`
  return html`<section>
    <h2>Compared with ${difference.with}</h2>
    <p>It is ${verdict}.</p>
    <div class="scroll">
      <table>
        <tbody>
          ${shown.map(
            ([name, times]) =>
              html`<tr>
                <th scope="row">${name}</th>
                <td class="number">${count(times)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${
      examples.onlyHere.length > 0 &&
      html`<h3>Only here</h3>
        ${matchTable(
          examples.onlyHere.map(({ match }) => match),
          onlyHere,
          examples.onlyHere.map(({ why }) => why),
        )}`
    }
    ${
      examples.onlyThere.length > 0 &&
      html`<h3>Only there</h3>
        ${onlyThereOf(difference)}`
    }
    ${
      examples.otherwise.length > 0 &&
      html`<h3>${rows[1]?.[0] ?? ''}</h3>
        <ul>
          ${examples.otherwise.map(({ here, there }) => html`<li>${here.key} at ${here.time}: here ${contentOf(here)}, there ${contentOf(there)}</li>`)}
        </ul>`
    }
  </section>`
}

function onlyThereOf({ examples, onlyThere }: DifferenceReport): Markup {
  const matches = examples.onlyThere.filter((one) => 'match' in one)
  const outputs = examples.onlyThere.filter((one) => 'output' in one)
  if (matches.length > 0)
    return matchTable(
      matches.map(({ match }) => match),
      onlyThere,
      matches.map(({ why }) => why),
    )
  return html`<div class="scroll">
    <table class="stack">
      <thead>
        <tr>
          <th scope="col">Key</th>
          <th scope="col">Time</th>
          <th scope="col">Emitted</th>
        </tr>
      </thead>
      <tbody>
        ${outputs.map(
          ({ output }) =>
            html`<tr>
              <td>${output.key ?? ''}</td>
              <td class="time">${output.time}</td>
              <td>${output.type} by sequence ${count(output.cause)} <code>${dataOf(output.data)}</code></td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`
}

function contentOf(one: MatchReport | OutputReport): Markup {
  if (!('stages' in one)) return html`<code>${dataOf(one.data)}</code>`
  const sequences = Object.values(one.stages).flatMap((events) => events.map(({ sequence }) => sequence))
  return html`sequences ${sequences.slice(0, 20).join(', ')}`
}
