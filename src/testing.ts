// The door of the test kit: `millrace/testing`.

export { testPipeline, testRule, type TestOptions } from './testing/test-pipeline.js'
export type { PipelineTest, TestTime } from './testing/pipeline-test.js'
export type { MarbleTest } from './testing/check-marbles.js'
export type { TestDeadLetter, TestOutput } from './testing/test-output.js'
export { testActor, type ActorTest, type ActorTestOptions, type ExpectedTimer } from './testing/actor-test.js'
export type { TestDecision, TestStep, TestTimer } from './testing/actor-run.js'
export { checkActor, type ActorModel, type CheckActorOptions } from './testing/check-actor.js'
export type { Arbitrary, FastCheck } from './testing/fast-check.js'
