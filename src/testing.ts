// The door of the test kit: `millrace/testing`.

export { testPipeline, testRule, type TestOptions } from './testing/test-pipeline.js'
export type { PipelineTest, TestTime } from './testing/pipeline-test.js'
export type { MarbleTest } from './testing/check-marbles.js'
export type { TestDeadLetter, TestOutput } from './testing/test-output.js'
export { testActor, type ActorTest, type ActorTestOptions, type ExpectedTimer } from './testing/actor-test.js'
export type { TestDecision, TestStep, TestTimer } from './testing/actor-run.js'
export { checkActor, type ActorModel, type CheckActorOptions } from './testing/check-actor.js'
export type { Arbitrary, FastCheck } from './testing/fast-check.js'
export { modelAnswers, type ErrorDetails, type MessageDetails } from './testing/model-server/model-answer.js'
export type {
  ErrorAnswer,
  MessageAnswer,
  ModelAnswer,
  ModelBlock,
  ModelBreak,
} from './testing/model-server/model-answer.js'
export type { ModelFault, ModelScript } from './testing/model-server/answer-script.js'
export type { BatchOptions } from './testing/model-server/batch-store.js'
export type { BilledTokens, ModelCall, ModelCallEnd, ModelTotals } from './testing/model-server/model-call.js'
export type { ModelRequest } from './testing/model-server/model-request.js'
export { startModelServer, type ModelServer, type ModelServerOptions } from './testing/model-server/model-server.js'
export type { ModelLimits } from './testing/model-server/rate-limits.js'
