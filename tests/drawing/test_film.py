"""A training as a film: what is kept of it, the page in a real browser, the GIF read back."""

import json
import math
import re
import shutil
from base64 import b64decode
from html import escape
from io import BytesIO
from itertools import pairwise
from urllib.request import urlopen

import numpy as np
import pytest

from micrograd_lab import MLP, Adam, Value, binary_cross_entropy, cross_entropy, fit, gate, moons
from micrograd_lab.drawing.film import Film
from micrograd_lab.drawing.plots import Plane

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")


def watched(watch=6, epochs=20, sizes=(4, 1), data=None, loss=binary_cross_entropy, **more):
    """A model and its history."""
    inputs, targets = data or moons(40, seed=1)
    model = MLP(len(inputs[0]), list(sizes), activation="tanh", seed=1)
    adam = Adam(model.parameters(), lr=0.1)
    history = fit(
        model, inputs, targets, loss=loss, optimizer=adam, epochs=epochs, watch=watch, **more
    )
    return model, history


def data_of(film):
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', film.page)
    return json.loads(found[1])


@pytest.mark.parametrize(
    ("epochs", "watch", "kept"),
    [
        (20, 6, [0, 4, 8, 12, 16, 20]),
        (10, 4, [0, 4, 8, 10]),
        (3, 60, [0, 1, 2, 3]),
        (100, True, [*range(0, 101, 2)]),
        (7, 2, [0, 7]),
    ],
)
def test_a_watched_fit_keeps_at_most_so_many_moments(epochs, watch, kept):
    _, history = watched(watch, epochs)
    assert [frame.epoch for frame in history.frames] == kept
    assert len(kept) <= (60 if watch is True else watch)


def test_the_last_moment_is_the_model_with_the_gradients_of_its_last_batch():
    model, history = watched(batch_size=10, seed=1)
    last = history.frames[-1]
    assert last.numbers.tolist() == [p.data for p in model.parameters()]
    assert last.gradients.tolist() == [p.grad for p in model.parameters()]
    assert any(last.gradients)
    assert np.isnan(history.frames[0].gradients).all()


def test_a_moment_is_what_a_shorter_fit_ends_with():
    model, _ = watched(epochs=8)
    _, history = watched(epochs=20)
    (frame,) = (frame for frame in history.frames if frame.epoch == 8)
    assert frame.numbers.tolist() == [p.data for p in model.parameters()]


def test_a_fit_that_stops_early_keeps_its_end():
    _, history = watched(10, 100, callbacks=[lambda history: len(history.loss) == 33])
    assert [frame.epoch for frame in history.frames] == [0, 12, 24, 33]


def test_watching_changes_no_number():
    assert watched(0)[1].loss == watched(6)[1].loss


def test_both_engines_keep_the_same_moments():
    scalar, auto = (watched(engine=engine)[1].frames for engine in ("scalar", "auto"))
    for one, other in zip(scalar, auto):
        assert one.numbers == pytest.approx(other.numbers, rel=1e-9)
        assert one.gradients == pytest.approx(other.gradients, rel=1e-6, abs=1e-12, nan_ok=True)


def test_a_fit_that_was_not_watched_has_no_film():
    with pytest.raises(ValueError, match=r"0 moments of 20 epochs were kept; .* watch=60"):
        watched(0)[1].film()
    with pytest.raises(ValueError, match="watch is 1; it needs to be at least 2, or 0"):
        watched(1)
    with pytest.raises(TypeError, match=r"watch is 2\.5; give a whole number"):
        watched(2.5)


def test_a_film_leaves_the_model_alone(tmp_path):
    model, history = watched(3, 5)
    before = [(p.data, p.grad) for p in model.parameters()]
    history.film().save(tmp_path / "f.html")
    history.film().save(tmp_path / "f.gif")
    assert [(p.data, p.grad) for p in model.parameters()] == before


def test_the_page_has_the_numbers_of_the_history():
    model, history = watched()
    data = data_of(history.film())
    assert data["loss"] == pytest.approx(history.loss, rel=1e-3)
    assert data["epochs"] == [frame.epoch for frame in history.frames]
    place = {p.label: i for i, p in enumerate(model.parameters())}
    assert sorted(data["labels"]) == sorted(place)
    for k, label in enumerate(data["labels"]):
        for i, frame in enumerate(history.frames):
            assert data["weights"][i][k] == pytest.approx(frame.numbers[place[label]], rel=1e-3)
            expected = None if i == 0 else pytest.approx(frame.gradients[place[label]], rel=1e-3)
            assert data["gradients"][i][k] == expected
    for flow, frame in list(zip(data["flow"], history.frames))[1:]:
        sizes = np.abs(frame.gradients[-5:])  # of the last layer
        ends = [sizes[sizes > 0].min(), sizes.mean(), sizes.max()]
        assert flow[1] == pytest.approx(ends, rel=1e-3)


def test_the_regions_of_the_page_are_those_of_the_model():
    model, history = watched()
    data = data_of(history.film())["plane"]
    level = np.frombuffer(b64decode(data["moments"][-1]["levels"]), np.uint8).reshape(48, 48)
    x, y = (np.linspace(data["low"][i], data["high"][i], 48) for i in (0, 1))
    for i, j in ((0, 0), (3, 40), (24, 24), (47, 10), (30, 5)):
        score = model([x[i], y[j]]).data
        if abs(int(level[j, i]) - 127) > 1:
            assert (level[j, i] > 127) == (score > 0)


def test_classes_by_name_and_several_outputs_have_a_film():
    points = [(0, 0), (1, 0), (0, 1), (2, 2)]
    names = ["left", "right", "top", "left"]
    _, history = watched(3, 5, (4, 3), (points, names), cross_entropy)
    data = data_of(history.film())
    assert data["plane"]["names"] == ["left", "right", "top"]
    assert [at[2] for at in data["plane"]["points"]] == [0, 1, 2, 0]
    assert not data["plane"]["moments"][0]["two"]


def test_without_two_inputs_there_is_no_plane():
    rows = np.eye(3).tolist()
    data = data_of(watched(3, 5, (2, 1), (rows, [0, 1, 1]))[1].film())
    assert data["plane"] is None


def test_nothing_in_a_label_ends_the_script():
    model = MLP(2, [2, 1], seed=1)
    model.layers[0].neurons[0].w[0].label = "</script><img src=x>"
    history = fit(model, *gate("xor"), epochs=4, watch=3)
    page = history.film().page
    assert page.count("</script>") == 2
    assert data_of(history.film())["labels"].count("</script><img src=x>") == 1


def test_the_page_loads_nothing():
    page = watched()[1].film().page
    assert not re.findall(r"""(?:src|href)=["'](?!#)|url\((?!#)|@import|fetch\(|import\(""", page)


def test_a_gif_has_a_frame_for_each_moment(tmp_path):
    from PIL import Image

    _, history = watched(5, 30)
    history.film().save(tmp_path / "f.gif", theme="dark")
    with Image.open(tmp_path / "f.gif") as gif:
        frames = []
        for i in range(gif.n_frames):
            gif.seek(i)
            frames.append((np.array(gif.convert("RGB")), gif.info["duration"]))
    assert len(frames) == len(history.frames) == 5
    assert [pace for _, pace in frames] == [150] * 4 + [2000]
    assert all((a != b).any() for (a, _), (b, _) in pairwise(frames))
    assert max(frames[0][0][2, 2]) < 40  # dark


def test_a_film_is_saved_only_in_a_format_that_it_knows(tmp_path):
    film = watched(3, 4)[1].film()
    with pytest.raises(ValueError, match=r"'f\.mp4' has no known format; end it in .*\.gif"):
        film.save(tmp_path / "f.mp4")
    with pytest.raises(ValueError, match="there is no theme 'sepia'"):
        film.save(tmp_path / "f.gif", theme="sepia")
    assert list(tmp_path.iterdir()) == []


def test_show_opens_the_page(monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    film = watched(3, 4)[1].film()
    film.show()
    with urlopen(opened[0]) as page:
        assert escape(film.page) in page.read().decode()


def test_what_shows_no_html_gets_the_last_moment():
    from PIL import Image

    shown = watched(3, 4)[1].film()._repr_mimebundle_()
    assert set(shown) == {"text/html", "image/png", "text/plain"}
    with Image.open(BytesIO(b64decode(shown["image/png"]))) as picture:
        assert picture.width > 700


@pytest.fixture(scope="module")
def browser():
    if not (BROWSER and DRIVER):
        pytest.skip("needs the programs chromium and chromedriver")
    webdriver = pytest.importorskip("selenium.webdriver", reason="pip install selenium")
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def history():
    return watched(6, 20, validation=moons(20, seed=2))[1]


@pytest.fixture
def page(browser, history, tmp_path):
    """The film in the browser; errors of its script fail the test."""
    history.film().save(tmp_path / "f.html")
    browser.get((tmp_path / "f.html").as_uri())
    yield browser
    assert browser.get_log("browser") == []


def press(browser, *keys):
    from selenium.webdriver.common.action_chains import ActionChains

    ActionChains(browser).send_keys(*keys).perform()


def where(browser):
    return browser.execute_script("return document.querySelector('.where').textContent")


def amounts(browser):
    """The number of each link, by the label of its weight."""
    script = """return Object.fromEntries([...document.querySelectorAll("[data-name]")]
        .map((link) => [link.dataset.name, link.dataset.amount]))"""
    return {k: float(x) if x else math.nan for k, x in browser.execute_script(script).items()}


@pytest.mark.slow
def test_each_moment_of_the_page_shows_the_history(page, history):
    from selenium.webdriver.common.keys import Keys

    labels = [p.label for p in history.watched[0].parameters()]
    press(page, Keys.HOME)
    assert where(page) == "before training"
    for kind in ("weight", "gradient"):
        page.find_element("css selector", f"[value={kind}]").click()
        page.execute_script("document.activeElement.blur()")
        press(page, Keys.HOME)
        for frame in history.frames:
            numbers = frame.numbers if kind == "weight" else frame.gradients
            shown = amounts(page)
            expected = [shown[label] for label in labels]
            assert numbers.tolist() == pytest.approx(expected, rel=1e-3, nan_ok=True)
            if frame.epoch:
                loss = history.loss[frame.epoch - 1]
                assert where(page).startswith(
                    f"after epoch {frame.epoch} of 20 · loss {loss:.2g}"[:-1]
                )
            press(page, Keys.ARROW_RIGHT)


@pytest.mark.slow
def test_width_and_colour_of_the_links_follow_the_moment(page):
    from selenium.webdriver.common.keys import Keys

    script = """return [...document.querySelectorAll("[data-name] > path")]
        .map((path) => path.style.strokeWidth + path.style.stroke)"""
    looks = []
    for key in (Keys.HOME, Keys.END):
        press(page, key)
        looks.append(page.execute_script(script))
    assert sum(a != b for a, b in zip(*looks)) > 10


@pytest.mark.slow
def test_space_plays_to_the_end(page):
    from selenium.webdriver.common.keys import Keys

    press(page, Keys.HOME, Keys.SPACE)
    page.implicitly_wait(0)
    for _ in range(100):
        if where(page).startswith("after epoch 20"):
            break
        page.execute_async_script("setTimeout(arguments[0], 50)")
    assert where(page).startswith("after epoch 20 of 20")
    assert page.find_element("css selector", ".play").text == "play"


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 760, 1200])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_and_follows_the_theme(page, width, scheme):
    page.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False},
    )
    feature = {"name": "prefers-color-scheme", "value": scheme}
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    script = """const style = getComputedStyle(document.body);
        return [document.documentElement.scrollWidth, style.backgroundColor, style.color]"""
    wide, ground, ink = page.execute_script(script)
    assert wide <= width
    light, dark = (sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in (ground, ink))
    assert (light > dark) == (scheme == "light")


def test_a_plane_of_numbers_to_come_near_to_is_left_out():
    points = [(k / 20, -k / 20) for k in range(20)]
    history = fit(MLP(2, [1], seed=1), points, [k / 20 for k in range(20)], epochs=4, watch=3)
    assert Film(history).plane is None
    assert Plane(points, [0, 1] * 10, lambda x: Value(1), 5).x[0] < 0
