// Who answers the page's questions: for an example the site, which has its page; for all else Python
// in a worker of this page, one question after another.
export function connect(say) {
  const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
  const waiting = [];
  const ready = new Promise((resolve, reject) => {
    worker.onerror = () => reject(Error("this site was built without it"));
    worker.onmessage = ({ data }) => {
      if (data.answer) waiting.shift()(JSON.parse(data.answer));
      else if (data.ready) resolve();
      else if (data.error) reject(Error(data.error));
      else if (data.share < 1) say(`Python is loading: ${Math.floor(100 * data.share)} %`);
      else say("Python is starting");
    };
  });
  const missing = ({ message }) => ({ error: `Python could not start: ${message}` });
  ready.then(
    () => say(""),
    (error) => say(missing(error).error),
  );
  const ask = (question) =>
    new Promise((done) => {
      waiting.push(done);
      worker.postMessage(JSON.stringify(question));
    });
  return async (question) => {
    const { example, ...more } = question;
    if (example && more.wants === "page") {
      const made = await fetch(`examples/${example}.json`).catch(() => null);
      if (made?.ok) return made.json();
    }
    return ready.then(() => ask(question), missing);
  };
}
