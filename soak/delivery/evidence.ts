// What the handlers of the soak have left behind: effects, dead letters, parked keys.
import { existsSync, readFileSync } from 'node:fs'
import type { Pool } from 'pg'
import type { Connection } from '../../src/broker/connection.ts'
import { readDeadLetter, type DeadLetter } from '../../src/delivery/letters/dead-letter.ts'
import { LetterRecords } from '../../src/delivery/letters/letter-records.ts'
import { parkedKeys } from '../../src/cli/parked/parked-keys.ts'
import { processorsOf } from '../../src/runtime/processors.ts'
import type { Deployment } from '../../src/runtime/deployment.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { readAll } from '../../test/support/events.ts'
import type { Letter } from './judge.ts'
import { EFFECTS_TABLE, type Effect } from './ledger.ts'

export interface Places {
  readonly connection: Connection
  readonly deployment: Deployment
  readonly pool: Pool | undefined
  /** The file of lines. */
  readonly file: string
}

/** In the order in which they were made, in each place. */
export async function readEffects({ connection, pool, file }: Places): Promise<Effect[]> {
  const emitted = await readAll(connection, 'RESULTS', ['results.>'])
  const found = await pool?.query(`select handler, id, key, n, pid, at from ${EFFECTS_TABLE} order by seq`)
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []
  return [
    ...emitted.map(({ data, storedAt }): Effect => {
      const { handler, id, key, n, pid } = JSON.parse(Buffer.from(data).toString()) as Omit<Effect, 'at' | 'exact'>
      return { handler, id, key, n, pid, at: storedAt, exact: true }
    }),
    ...(found?.rows ?? []).map((row) => ({ ...(row as unknown as Omit<Effect, 'exact'>), exact: true })),
    ...lines
      .filter((line) => line !== '')
      .map((line): Effect => ({ ...(JSON.parse(line) as Omit<Effect, 'exact'>), exact: false })),
  ]
}

const PROCESSOR = /^handler-(.*)$/

/** Dead letters from a number on. */
export async function readLetters(connection: Connection, from = 0): Promise<DeadLetter[]> {
  const messages = await readAll(connection, 'DEAD_LETTERS', ['millrace.dead.ERRANDS.>'])
  return messages.filter(({ sequence }) => sequence >= from).map(readDeadLetter)
}

export function handlerOf({ processor }: Pick<DeadLetter, 'processor'>): string {
  return PROCESSOR.exec(processor)?.[1] ?? processor
}

/** Dead letters, and what became of them. */
export async function readJudgedLetters(connection: Connection): Promise<Letter[]> {
  const records = await new LetterRecords(connection, systemClock).all()
  return (await readLetters(connection)).map((letter) => ({
    id: letter.id ?? '',
    handler: handlerOf(letter),
    number: letter.number,
    generation: letter.generation,
    code: letter.code,
    detail: letter.detail.slice(0, 200),
    state: records.get(letter.number)?.state ?? 'open',
  }))
}

/** Keys that wait because one of their events failed for good. */
export async function readParked({ connection, deployment }: Places): Promise<{ handler: string; key: string }[]> {
  const parked = await parkedKeys(connection, systemClock, processorsOf(deployment))
  return parked.map(({ unit, entry }) => ({ handler: handlerOf(unit), key: entry.key }))
}
