// What CI has of the soak named actors: three worker processes share the accounts of soak/actor-streams, and are killed and
// frozen with the server. `npm run soak -- actors` goes on for longer, with 200,000 commands.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runActorChaos } from '../../soak/actors/run-actor-chaos.ts'
import { ownServer } from '../support/nats.ts'

const test = suite('chaos of actors')

const SECONDS = 45
/** Few enough that each has steps too. */
const ACCOUNTS = 200
const COMMANDS = 5_000

test('AL3 AL4 AL5 AL6 AT1 AT2 workers and server killed and frozen for 45 s: every history as the decider makes it of the log', async () => {
  const server = await ownServer()
  const victim = {
    killAndRestart: async (onBack: () => void) => {
      await server.kill()
      await new Promise((resolve) => setTimeout(resolve, 500 + Math.random() * 1_500))
      await server.restart()
      onBack()
    },
  }
  const faults: string[] = []
  const report = await runActorChaos({
    seconds: SECONDS,
    urls: [server.url],
    server: victim,
    serverEvery: 15,
    accounts: ACCOUNTS,
    commands: COMMANDS,
    onProgress: (text) => void faults.push(text),
  })
  const { commands, events, timers, steps, kills, takeovers, fenced, lost, duplicated, different, outOfOrder, gaps } =
    report
  console.log(
    `${events} events of ${commands} commands, ${timers} timers, ${steps} steps: ${kills} kills, ${takeovers} takeovers, ` +
      `${fenced} fenced, lost ${lost}, duplicated ${duplicated}, different ${different}, out of order ${outOfOrder}, gaps ${gaps}`,
  )
  const told = [...faults, ...report.failures].join('\n')
  assert.equal(
    { lost, duplicated, different, outOfOrder, gaps },
    { lost: 0, duplicated: 0, different: 0, outOfOrder: 0, gaps: 0 },
    told,
  )
  assert.ok(report.workerKills > 0 && report.serverKills > 0 && report.workerFreezes > 0, told)
  assert.ok(commands > 1_000 && timers > 0 && steps > 0 && takeovers > 0, told)
})

test.run()
