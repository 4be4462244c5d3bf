// Who answers the page's questions: Python in a worker of this page, one after another.
export function connect(say) {
  const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
  const waiting = [];
  const ask = (question) =>
    new Promise((done) => {
      waiting.push(done);
      worker.postMessage(JSON.stringify(question));
    });
  return new Promise((resolve, reject) => {
    worker.onerror = (event) => reject(Error(event.message ?? "this site was built without it"));
    worker.onmessage = ({ data }) => {
      if (data.answer) waiting.shift()(JSON.parse(data.answer));
      else if (data.ready) resolve(ask);
      else if (data.error) reject(Error(data.error));
      else if (data.share < 1) say(`Python is loading: ${Math.floor(100 * data.share)} %`);
      else say("Python is starting");
    };
  });
}
