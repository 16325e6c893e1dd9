import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { from, lastValueFrom, toArray } from 'rxjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { generatePayments } from '../../demo/generate-payments.ts'
import type { GeneratedEvent } from '../../demo/generate-plan.ts'
import { precisionRecall, type ScoredMatch } from '../../demo/score.ts'
import type { Match } from '../../src/cep/engine/match.ts'
import type { Rule } from '../../src/cep/rule/rule.ts'
import { runRule } from '../../src/cep/rule/run-rule.ts'
import type { EventDraft, StoredEvent } from '../../src/event/event.ts'
import { discover } from '../../src/runtime/discover.ts'

const test = suite('streams of the demo')

const folder = fileURLToPath(new URL('../../streams', import.meta.url))
const deployment = await discover(folder)
const rules = deployment.rules.map(({ rule }) => rule)

/** The event as its contract reads it, or the code of why it does not. */
function read(stream: string, event: GeneratedEvent, sequence: number): StoredEvent | string {
  const contract = deployment.registry.get(event.type)
  if (contract === undefined) return 'EVENT_TYPE_UNKNOWN'
  const version = Number(event.dataversion ?? 1)
  const checked = contract.check(JSON.parse(JSON.stringify(event.data)), version)
  if (!checked.ok) return checked.code
  const { id, source, type, partitionkey: key } = event
  const [time, data] = [Date.parse(event.time), checked.data]
  const unset = { correlationId: undefined, causationId: undefined, attributes: {} }
  return { id, source, type, version, time, key, data, ...unset, stream, sequence, storedAt: time }
}

function rule(name: string): Rule {
  const found = rules.find((candidate) => candidate.name === name)
  if (found === undefined) throw new Error(`no rule ${name}`)
  return found
}

/** What a match puts out fits the contract of its event. */
function assertEmits(of: Rule, match: Match): void {
  const draft = of.emit(match)
  const contract = deployment.registry.get(draft.type)
  const checked = contract?.check(draft.data, contract.version)
  assert.ok(checked?.ok, JSON.stringify(checked))
  assert.is(draft.key ?? contract?.keyOf(draft.data), match.key)
}

/** A match as it is judged from what it puts out alone. */
function scored(of: Rule, match: Match): ScoredMatch {
  const { data, time = 0 } = of.emit(match)
  const { cardId, since = time } = data as { cardId: string; since?: number }
  return { rule: of.name, key: cardId, from: since, to: time }
}

async function runPipeline(name: string, events: readonly StoredEvent[]): Promise<EventDraft[]> {
  const found = deployment.pipelines.find((candidate) => candidate.name === name)
  if (found?.kind !== 'pipeline') throw new Error(`no pipeline ${name}`)
  const wanted = new Set(found.from.events.map(({ type }) => type))
  // those of the demo are stateless, and ask for nothing but their events
  const context = {} as Parameters<typeof found.build>[1]
  return lastValueFrom(found.build(from(events.filter(({ type }) => wanted.has(type))), context).pipe(toArray()))
}

const payments = generatePayments()
const broken = new Map<string, string>()
const paid: StoredEvent[] = []
for (const event of payments.events) {
  const stored = read('PAYMENTS', event, paid.length + broken.size + 1)
  if (typeof stored === 'string') broken.set(event.id, stored)
  else paid.push(stored)
}

const lines = readFileSync(`${folder}/machines/recordings/cpu-april-2014.ndjson`, 'utf8').trimEnd().split('\n')
const readings = lines.map((line, at) => read('MACHINES', JSON.parse(line) as GeneratedEvent, at + 1) as StoredEvent)

test('the folder declares four streams and those beside them, three pipelines, five rules, six actors and a job, and its README names them all', () => {
  const readme = readFileSync(`${folder}/README.md`, 'utf8')
  const names = [deployment.streams, deployment.pipelines, rules].map((all) => all.map(({ name }) => name).sort())
  assert.equal(names, [
    [
      'CARDS',
      'CARDS_COMMANDS',
      'MACHINES',
      'PAYMENTS',
      'PAYMENTS_JOBS',
      'PAYMENTS_JOBS_TOKENS',
      'PAYMENTS_JOBS_WORK',
      'PAYMENTS_WORK',
      'SUPPLY',
      'SUPPLY_COMMANDS',
    ],
    ['large-payments', 'overload', 'triage-requests'],
    ['card-testing', 'impossible-travel', 'refund-abuse', 'sustained-overload', 'velocity'],
  ])
  const actors = deployment.actors.map(({ actor }) => actor.name)
  assert.equal(actors.sort(), ['analysis', 'card', 'charge', 'order', 'shipment', 'stock'])
  const jobs = (deployment.jobs ?? []).map(({ declaration }) => declaration.name)
  assert.equal(jobs, ['triage'])
  for (const name of [...names.flat(), ...actors, ...jobs]) assert.ok(readme.includes(`\`${name}\``), name)
})

test('the contracts refuse exactly the events that were broken, for the reason given', () => {
  assert.equal(broken, new Map(payments.broken.map(({ id, code }) => [id, code])))
})

for (const kind of ['card-testing', 'velocity', 'impossible-travel', 'refund-abuse'])
  test(`the rule ${kind} finds its fraud among 100,000 events and leaves honest people alone`, () => {
    const { matches, late, withoutKey, stats } = runRule(rule(kind), paid)
    assert.equal([late.length, withoutKey], [0, 0])
    assert.equal([stats.dropped, stats.droppedMatches, stats.evaluationErrors], [{ partialMatches: 0 }, 0, 0])
    const found = matches.map((match) => scored(rule(kind), match))
    const score = precisionRecall(
      found,
      payments.labels.filter((label) => label.kind === kind),
    )[kind]
    assert.ok(score !== undefined && score.precision >= 0.9 && score.recall >= 0.9, JSON.stringify(score))
    for (const match of matches) assertEmits(rule(kind), match)
  })

test('the pipeline large-payments flags large payments, sooner when they are made far away', async () => {
  const flagged = await runPipeline('large-payments', paid)
  assert.ok(flagged.length > 20 && flagged.length < 500, `${flagged.length}`)
  const abroad = flagged.filter(({ data }) => (data as { reason: string }).reason === 'large-abroad')
  assert.ok(abroad.length > 0 && abroad.length < flagged.length)
})

test('the recording is what its README says: 12,096 readings in order, 651 overloads, 5 alarms', async () => {
  assert.is(lines.length, 12_096)
  assert.is(new Set(readings.map(({ id }) => id)).size, 12_096)
  for (const [at, reading] of readings.entries())
    assert.ok(at === 0 || reading.time >= (readings[at - 1]?.time ?? 0), reading.id)
  assert.is((await runPipeline('overload', readings)).length, 651)
  const alarm = rule('sustained-overload')
  const { matches } = runRule(alarm, readings)
  for (const match of matches) assertEmits(alarm, match)
  assert.equal(
    matches.map(({ key, time }) => `${key} ${new Date(time).toISOString()}`),
    [
      'ec2-77c1ca 2014-04-04T23:25:00.000Z',
      'ec2-77c1ca 2014-04-11T18:20:00.000Z',
      'ec2-77c1ca 2014-04-11T21:20:00.000Z',
      'ec2-77c1ca 2014-04-11T22:55:00.000Z',
      'ec2-ac20cd 2014-04-15T01:04:00.000Z',
    ],
  )
})

test.run()
