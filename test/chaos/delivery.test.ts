// What CI has of the soak named delivery: handlers in three worker processes, which are killed and frozen with the server, the
// database and the links between them. `npm run soak -- delivery` goes on for longer.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ANSWER_LIMIT_MS, runDeliveryChaos } from '../../soak/delivery/run-delivery-chaos.ts'
import { ownServer } from '../support/nats.ts'

const test = suite('chaos of delivery')

const SECONDS = 60
const PER_SECOND = 60

test('DL1 DL2 DL4 DL5 DL9 LT3 LT5 workers, links, server and database in trouble for 60 s: every event ends once', async () => {
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
  const report = await runDeliveryChaos({
    seconds: SECONDS,
    url: server.url,
    server: victim,
    serverEvery: 15,
    perSecond: PER_SECOND,
    onProgress: (text) => void faults.push(text),
  })
  const { events, effects, dead, parked, redriven, lost, doubled, both, different, outOfOrder } = report
  console.log(
    `${events} events: ${effects} effects, ${dead} dead, ${parked} parked, ${redriven} redriven; ${report.kills} kills, ` +
      `${report.workerFreezes} freezes, ${report.cuts} cuts, ${report.delays} delays; lost ${lost}, doubled ${doubled}, ` +
      `both ${both}, different ${different}, out of order ${outOfOrder}, unlucky ${report.unlucky}; answers after ` +
      `${report.answeredMs} ms, longest recovery ${report.longestRecoveryMs} ms, ${report.database}, ${report.seconds} s`,
  )
  const told = [...faults, ...report.failures].join('\n')
  assert.equal(
    { lost, doubled, both, different, outOfOrder },
    { lost: 0, doubled: 0, both: 0, different: 0, outOfOrder: 0 },
    told,
  )
  assert.ok(report.answeredMs < ANSWER_LIMIT_MS, `${report.answeredMs} ms\n${told}`)
  assert.ok(report.workerKills > 0 && report.serverKills > 0 && report.workerFreezes > 0 && report.cuts > 0, told)
  assert.ok(events > 400 && dead > 0 && parked > 0 && redriven > 0, told)
  assert.ok(report.unlucky <= events / 500, told)
})

test.run()
