// Libraries of JavaScript that print as they learn. Argument: which one. NODE_PATH has the libraries.
import { createRequire } from "module";
const require = createRequire(process.env.NODE_PATH + "/");
const which = process.argv[2];

async function tfjs(onEpochEnd, metrics = []) {
  const tf = require("@tensorflow/tfjs");
  const x = tf.tensor2d([0, 1, 2, 3, 4, 5], [6, 1]), y = tf.tensor2d([1, 3, 5, 7, 9, 11], [6, 1]);
  const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [1], kernelInitializer: "zeros" })] });
  model.compile({ optimizer: tf.train.sgd(0.02), loss: "meanSquaredError", metrics });
  const history = await model.fit(x, y, { epochs: 5, shuffle: false, validationSplit: 0.34, verbose: 0, callbacks: { onEpochEnd } });
  return [model, history, x, y];
}

const runs = {
  async tfjs_object() { await tfjs((epoch, logs) => console.log(epoch, logs)); },
  async tfjs_template() { await tfjs((epoch, logs) => console.log(`Epoch ${epoch + 1}: loss = ${logs.loss.toFixed(4)} - val_loss = ${logs.val_loss.toFixed(4)}`)); },
  async tfjs_json() { await tfjs((epoch, logs) => console.log(JSON.stringify({ epoch, ...logs })), ["mae"]); },
  async tfjs_history() { const [, history] = await tfjs(() => {}); console.log(history.history); },
  async tfjs_evaluate() { const [model, , x, y] = await tfjs(() => {}); process.stdout.write("loss "); model.evaluate(x, y).print(); },
  async synaptic() {
    const { Architect, Trainer } = require("synaptic");
    Math.random = (() => { let s = 7; return () => (s = (s * 16807) % 2147483647) / 2147483647; })();
    const trainer = new Trainer(new Architect.Perceptron(2, 3, 1));
    trainer.train([{ input: [0, 1], output: [1] }, { input: [1, 1], output: [0] }], { iterations: 400, log: 100, error: 1e-9 });
  },
  async regression() {
    const { SimpleLinearRegression } = require("ml-regression");
    const x = [1, 2, 3, 4], y = [2.1, 3.9, 6.2, 7.8];
    console.log(new SimpleLinearRegression(x, y).score(x, y));
  },
  async table() { console.table([{ epoch: 1, loss: 0.5, accuracy: 0.75 }, { epoch: 2, loss: 0.25, accuracy: 0.875 }]); },
  async printf() { for (let i = 1; i < 4; i++) console.log("epoch %d | train loss %s | val loss %s", i, (1 / i).toFixed(3), (1.5 / i).toFixed(3)); },
};
await runs[which]();
