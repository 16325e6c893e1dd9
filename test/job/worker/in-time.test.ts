// Jobs whose time is over while they wait for what a call takes.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { modelAnswers } from '../../../src/testing/model-server/model-answer.ts'
import { startModelServer } from '../../../src/testing/model-server/model-server.ts'
import { atEnd } from '../../support/cleanup.ts'
import { sharedConnection } from '../../support/broker.ts'
import { admissionOf } from '../limits/admissions.ts'
import { jobContext, work } from './working-jobs.ts'

const test = suite('jobs that are asked in time')

/** One call at once, and another one each 6 s. */
const SLOW = { classes: { slow: { models: ['m'], perMinute: { requests: 10 } } } }

test('JW1 AD2 a job that waits for its turn until its deadline is over is not asked, and takes nothing from others', async () => {
  const connection = await sharedConnection()
  const server = await startModelServer({ answers: () => modelAnswers.json({ verdict: 'fine' }) })
  atEnd(() => server.stop())
  const hurried = await jobContext(connection, { model: 'm', deadline: 2_000 })
  const patient = await jobContext(connection, { model: 'm' })
  const admission = await admissionOf({ connection, models: SLOW })
  await work(patient, server.url, { admission, queues: [...hurried.places, ...patient.places] })
  await patient.request('first')
  await patient.over('first')
  await hurried.request('late')
  const late = await hurried.over('late')
  assert.equal([late.kind, late.kind === 'dead' && late.code, late.account.begun], ['dead', 'JOB_DEADLINE_OVER', 0])
  await patient.request('second')
  assert.is((await patient.over('second', 8_000)).kind, 'decided')
  assert.is(server.totals().calls, 2)
})

test.run()
