// What an error advises can be done: the commands that it names exist, with their flags.
import { Command } from 'commander'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { COMMANDS } from '../../src/cli/commands.ts'
import { CATALOGUE } from '../../src/error/catalogue.ts'
import { PARKING_ERRORS } from '../../src/error/codes/parking.ts'
import { cliContext } from '../support/cli-context.ts'

const test = suite('advice of errors')

/** Every command as it is typed, with its flags. */
async function commands(): Promise<Map<string, readonly string[]>> {
  const program = new Command('millrace')
  for (const { load } of COMMANDS) (await load()).register(program, cliContext())
  const found = new Map<string, readonly string[]>()
  const walk = (command: Command, path: string): void => {
    found.set(
      path,
      command.options.flatMap(({ long }) => long ?? []),
    )
    for (const child of command.commands) walk(child, `${path} ${child.name()}`)
  }
  walk(program, 'millrace')
  return found
}

test('every command that an advice names exists, and has the flags that follow it', async () => {
  const known = await commands()
  let named = 0
  for (const [code, { advice }] of Object.entries(CATALOGUE))
    for (const [, words = ''] of advice.matchAll(/\bmillrace ((?:[a-z][a-z-]*)(?: [a-z-]+| [A-Z]+| --[a-z-]+)*)/g)) {
      const tokens = words.split(' ')
      const own = tokens.filter((token) => /^[a-z]/.test(token))
      const path = [2, 1].map((count) => ['millrace', ...own.slice(0, count)].join(' ')).find((it) => known.has(it))
      assert.ok(path, `${code}: millrace ${words}`)
      const children = [...known.keys()].filter((it) => it.startsWith(`${path} `))
      assert.equal(children, [], `${code}: millrace ${words} names only a part of a command`)
      for (const flag of tokens.filter((token) => token.startsWith('--')))
        assert.ok(known.get(path)?.includes(flag), `${code}: ${path} has no ${flag}`)
      named += 1
    }
  assert.ok(named > 15, `${named}`)
})

test('what an advice wants redriven is parked, or a dead letter', () => {
  for (const [code, { advice }] of Object.entries(CATALOGUE))
    if (!(code in PARKING_ERRORS) && /redrive/i.test(advice)) assert.match(advice, /parked|dead letter/, code)
})

test('members of a declaration that an advice names are there', () => {
  const { EVENT_TIME_INVALID, EVENT_LATE, EMITTED_OUTSIDE_TURN } = CATALOGUE
  assert.match(EVENT_TIME_INVALID.advice, /`time\.of`/)
  assert.match(EVENT_LATE.advice, /`time\.lateness`/)
  for (const mode of ['stateless', 'slots', 'checkpoint']) assert.match(EMITTED_OUTSIDE_TURN.advice, mode)
})

test.run()
