import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { startTestServer } from '../support/nats.ts'
import { eachRule, LiveRules } from './live-rules.ts'
import { jsonOf } from './support.ts'

const test = suite('cli: rules that change while they work')

test('RL1 RL3 deployed, broken, changed, paused, rolled back and removed while a process runs', async () => {
  const world = await LiveRules.on((await startTestServer()).url)
  const run = await world.run()
  const list = jsonOf((await world.cli('rules', 'list', '--json')).stdout)['rules'] as Record<string, any>[]
  assert.equal(
    list.map(({ rule, state, revision, origin, drift }) => [rule, state, revision, origin, drift]),
    [
      ['burst', 'enabled', 1, 'file', null],
      ['each', 'enabled', 1, 'file', null],
    ],
  )
  await world.publish(3)
  await world.flagged(3)

  const broken = await world.write('broken.yaml', eachRule('broken').replace('order.placed', 'order.plazed'))
  const right = await world.write('second.yaml', eachRule('second'))
  const refused = await world.cli('rules', 'deploy', right, broken)
  assert.is(refused.code, 2)
  assert.match(refused.stderr, /error RULE_INVALID[^]*broken\.yaml:6:21[^]*order\.placed/)
  await world.publish(1)
  assert.is((await world.flagged(4)).at(-1)?.revision, 1, 'not even the right one of the two was deployed')

  const deployed = jsonOf((await world.cli('rules', 'deploy', right, '--json')).stdout)['rules'][0] as Record<
    string,
    any
  >
  assert.equal([deployed['revision'], deployed['from'], deployed['taken'], deployed['state']], [2, 1, true, 'at-work'])
  assert.ok(deployed['since'] >= 4, 'a sequence of the stream, behind the four orders')
  await world.publish(1)
  assert.equal((await world.flagged(5)).at(-1), { amount: 5, revision: 2 })
  assert.match(
    (await world.cli('rules', 'deploy', right)).stdout,
    /each {2}revision 2: the same text is deployed already/,
  )

  const pause = await world.cli('rules', 'pause', 'each')
  assert.match(pause.stdout, /^each {2}revision 2: paused since sequence \d+$/m)
  await world.publish(2)
  const resume = await world.cli('rules', 'resume', 'each')
  assert.match(resume.stdout, /^each {2}revision 2: at-work since sequence \d+$/m)
  await world.publish(1)
  assert.equal((await world.flagged(6)).slice(5), [{ amount: 8, revision: 2 }])

  const back = await world.cli('rules', 'rollback', 'each')
  assert.match(back.stdout, /^each {2}revision 3 \(again 1\): at-work since sequence \d+$/m)
  const diff = await world.cli('rules', 'diff', 'each', '--revision', '2', '--revision', '3')
  assert.match(diff.stdout, /^--- revision 2\n\+\+\+ revision 3\n-# second\n\+# first\n rule: each$/m)
  assert.match(
    (await world.cli('rules', 'show', 'each')).stdout,
    /^# first\nrule: each[^]*3 +\S+ +\S+ +rollback to 1 +cut/m,
  )
  assert.is((await world.cli('rules', 'show', 'each', '--revision', '9')).code, 3)
  assert.is((await world.cli('rules', 'pause', 'eech')).code, 3)

  const other = await world.write(
    'other.yaml',
    eachRule('another shape').replace('  - order:', '  - before: { event: order.placed }\n  - order:'),
  )
  const keep = await world.cli('rules', 'deploy', other, '--on-change', 'keep')
  assert.is(keep.code, 6)
  assert.match(keep.stderr, /error RULE_STATE_DIFFERS/)

  assert.match((await world.cli('rules', 'remove', 'each')).stdout, /^each {2}removed/)
  await world.publish(1)
  const { code } = await world.cli('status')
  assert.is(code, 0)
  assert.match((await world.cli('status')).stdout, /^burst +rules-SHOP +at-work +1 /m)
  assert.is((await world.flags()).length, 6)
  run.signal('SIGTERM')
  assert.is((await run.done).code, 0)
  // the file has not changed since it was removed: it stays away, and that is said
  const second = await world.run()
  assert.match(second.stdout(), /"rule":"each","drift":"removed"/)
  second.signal('SIGTERM')
  await second.done
})

test('RL1 K1 kill -9 while rules change, two processes: every order met one revision, in the order of the log', async () => {
  const world = await LiveRules.on((await startTestServer()).url)
  const runs = [await world.run(), await world.run()]
  await world.publish(20)
  const kinds = ['keep', 'cut', 'drain'] as const
  for (let revision = 2; revision <= 5; revision++) {
    const file = await world.write('next.yaml', eachRule(`revision ${revision}`))
    const publishing = world.publish(200)
    const deploying = world.cli('rules', 'deploy', file, '--on-change', kinds[revision % 3] ?? 'cut', '--wait', '0')
    if (revision % 2 === 0) {
      runs[revision === 2 ? 0 : 1]?.signal('SIGKILL')
      runs[revision === 2 ? 0 : 1] = await world.run()
    }
    assert.is((await deploying).code, 0)
    await publishing
    await world.publish(20)
    await world.flagged(world.sent)
  }
  const flags = await world.flags()
  assert.equal(
    flags.map(({ amount }) => amount).sort((a, b) => a - b),
    Array.from({ length: world.sent }, (_, at) => at + 1),
    'each once',
  )
  const revisions = flags.map(({ revision }) => revision)
  assert.equal(
    revisions,
    [...revisions].sort((a, b) => a - b),
    'a revision that is over comes back for no event',
  )
  assert.equal([...new Set(revisions)], [1, 2, 3, 4, 5])
  for (const run of runs) run.signal('SIGKILL')
})

test.run()
