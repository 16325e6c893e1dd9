import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from '../support/broker.ts'
import { startTestServer } from '../support/nats.ts'
import { eachRule, LiveRules } from './live-rules.ts'
import { jsonOf } from './support.ts'

const test = suite('cli: rules that change while they work')

// a process of these tests may live for a while only, so there are a few short ones
test('RL3 files are taken over; of two rules of which one is broken none is deployed, and what runs goes on', async () => {
  const world = await LiveRules.on((await startTestServer()).url)
  const run = await world.run()
  await world.publish(1)
  const broken = await world.write('broken.yaml', eachRule('broken').replace('order.placed', 'order.plazed'))
  const right = await world.write('second.yaml', eachRule('second'))
  const refused = await world.cli('rules', 'deploy', right, broken)
  assert.is(refused.code, 2)
  assert.match(refused.stderr, /error RULE_INVALID[^]*broken\.yaml:6:21[^]*order\.placed/)
  await world.publish(1)
  assert.equal(
    (await world.flagged(2)).map(({ revision }) => revision),
    [1, 1],
  )
  const list = jsonOf((await world.cli('rules', 'list', '--json')).stdout)['rules'] as Record<string, any>[]
  assert.equal(
    list.map(({ rule, state, revision, origin, drift, work }) => [rule, state, revision, origin, drift, work.state]),
    [
      ['burst', 'at-work', 1, 'file', null, 'at-work'],
      ['each', 'at-work', 1, 'file', null, 'at-work'],
    ],
  )
  run.signal('SIGTERM')
  assert.is((await run.done).code, 0, 'a step that waits for ever does not hold up the end')
})

test('RL1 a new revision says since which sequence it works; one of another shape does not go on with what was begun', async () => {
  const world = await LiveRules.on((await startTestServer()).url)
  const run = await world.run()
  await world.publish(3)
  await world.flagged(3)
  const right = await world.write('second.yaml', eachRule('second'))
  const [deployed] = jsonOf((await world.change('deploy', right, '--json')).stdout)['rules'] as Record<string, any>[]
  assert.equal(
    [deployed?.['revision'], deployed?.['from'], deployed?.['taken'], deployed?.['state']],
    [2, 1, true, 'at-work'],
  )
  assert.ok(deployed?.['since'] >= 3, 'a sequence of the stream, behind the three orders')
  await world.publish(1)
  assert.equal((await world.flagged(4)).at(-1), { amount: 4, revision: 2 })
  const again = await world.cli('rules', 'deploy', right)
  assert.match(again.stdout, /each {2}revision 2: the same text is deployed already/)
  const shape = eachRule('another shape').replace('  - order:', '  - before: { event: order.placed }\n  - order:')
  const keep = await world.cli('rules', 'deploy', await world.write('other.yaml', shape), '--on-change', 'keep')
  assert.is(keep.code, 6)
  assert.match(
    keep.stderr,
    /error RULE_STATE_DIFFERS[^]*revision 2 and other\.yaml: sequence\[0\] differs, sequence\[1\] is new/,
  )
  run.signal('SIGTERM')
  await run.done
})

test('RL1 a paused rule sees nothing until it is resumed; rolled back it is an earlier text again', async () => {
  const world = await LiveRules.on((await startTestServer()).url)
  await world.cli('rules', 'deploy', await world.write('first.yaml', eachRule('zero')))
  const run = await world.run() // the file has changed since, as far as anybody knows
  const pause = await world.change('pause', 'each')
  assert.match(pause.stdout, /^each {2}revision 2: paused since sequence \d+$/m)
  await world.publish(2)
  await world.passed(2) // else they could be met by the rule that goes on
  const resume = await world.change('resume', 'each')
  assert.match(resume.stdout, /^each {2}revision 2: at-work since sequence \d+$/m)
  await world.publish(1)
  assert.equal(await world.flagged(1), [{ amount: 3, revision: 2 }])
  const back = await world.change('rollback', 'each')
  assert.match(back.stdout, /^each {2}revision 3 \(again 1\): at-work since sequence \d+$/m)
  assert.match(
    (await world.cli('rules', 'show', 'each')).stdout,
    /^# zero\nrule: each[^]*3 +\S+ +\S+ +rollback to 1 +cut/m,
  )
  run.signal('SIGTERM')
  await run.done
})

test('a removed rule stays away although its file is there: that is said; what is not there is a coded error', async () => {
  const world = await LiveRules.on((await startTestServer()).url)
  const first = await world.run()
  assert.match((await world.change('remove', 'each')).stdout, /^each {2}removed/)
  await world.publish(1)
  await world.passed(1)
  first.signal('SIGTERM')
  await first.done
  const second = await world.run()
  await eventually('it is said', () => /"rule":"each","drift":"removed"/.test(second.stdout()))
  assert.match((await world.cli('status')).stdout, /^burst +rules-SHOP +at-work +1 /m)
  assert.equal(await world.flags(), [])
  const unknown = await world.cli('rules', 'pause', 'each')
  assert.is(unknown.code, 3)
  assert.match(unknown.stderr, /error RULE_UNKNOWN[^]*burst/)
  second.signal('SIGTERM')
  await second.done
})

test('RL1 K1 kill -9 while rules change, two processes: every order met one revision, in the order of the log', async () => {
  const world = await LiveRules.on((await startTestServer()).url)
  const runs = [await world.run(), await world.run()]
  await world.publish(20)
  await world.flagged(20) // by the first revision, before there is another
  const kinds = ['keep', 'cut', 'drain'] as const
  for (let revision = 2; revision <= 4; revision++) {
    const file = await world.write('next.yaml', eachRule(`revision ${revision}`))
    const publishing = world.publish(200)
    const deploying = world.cli('rules', 'deploy', file, '--on-change', kinds[revision % 3] ?? 'cut', '--wait', '0')
    if (revision % 2 === 0) {
      runs[revision === 2 ? 0 : 1]?.signal('SIGKILL')
      runs[revision === 2 ? 0 : 1] = await world.run()
    }
    assert.is((await deploying).code, 0)
    await publishing
    // it takes effect when its owner has heard of it, which may be a lease after the kill
    for (let tries = 0; tries < 60 && !(await world.flags()).some((flag) => flag.revision === revision); tries++) {
      await world.publish(20)
      await world.flagged(world.sent)
    }
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
  assert.equal([...new Set(revisions)], [1, 2, 3, 4])
  for (const run of runs) run.signal('SIGKILL')
})

test.run()
