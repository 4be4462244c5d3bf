"""A picture of a notebook's cell in a real browser: light, dark, small and large."""

import shutil
from contextlib import contextmanager

import pytest

from micrograd_lab import Value, draw, lecture, plot_activation
from micrograd_lab.drawing.showing import page

webdriver = pytest.importorskip("selenium.webdriver", reason="pip install selenium")
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
CHROMEDRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and CHROMEDRIVER), reason="needs the programs chromium and chromedriver"
)


@pytest.fixture(scope="module")
def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage"):
        options.add_argument(f"--{flag}")
    options.add_argument("--window-size=760,600")
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(CHROMEDRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def shown(browser, tmp_path):
    """A function that opens pages of fragments in the browser and gives their pictures."""

    def open_page(*fragments):
        path = tmp_path / "page.html"
        path.write_text(page("".join(fragments), "pictures"), encoding="utf-8")
        browser.get(path.as_uri())
        return browser.find_elements(By.CSS_SELECTOR, ".micrograd-picture > div")

    return open_page


@contextmanager
def scheme(browser, name):
    """The reader's choice of light or dark, while the block runs."""
    features = [{"name": "prefers-color-scheme", "value": name}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    yield
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_a_click_shows_a_picture_large_and_escape_closes_it(shown, browser):
    diagram = draw(lecture.network().result)
    natural = diagram._points[0] * 4 / 3
    (picture,) = shown(diagram.html)
    small = picture.rect
    picture.find_element(By.TAG_NAME, "button").click()
    wide, high = browser.execute_script("return [innerWidth, innerHeight]")
    assert picture.rect == {"x": 0, "y": 0, "width": wide, "height": high}
    assert picture.find_element(By.TAG_NAME, "img").rect["width"] >= 1.5 * max(wide, natural)
    browser.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert picture.rect == small


def test_a_large_picture_scrolls_both_ways(shown, browser):
    (picture,) = shown(plot_activation().html)
    picture.find_element(By.TAG_NAME, "button").click()
    browser.execute_script("arguments[0].scrollBy(200, 300)", picture)
    at = "return [arguments[0].scrollLeft, arguments[0].scrollTop]"
    assert browser.execute_script(at, picture) == [200, 300]


def test_the_keyboard_opens_and_closes_the_picture_it_is_on(shown, browser):
    x = Value(2, "x")
    first, second = shown(draw(x * 3).html, draw(x * 4).html)
    button = second.find_element(By.TAG_NAME, "button")
    button.send_keys(Keys.ENTER)
    opened = "return arguments[0].matches(':popover-open')"
    assert [browser.execute_script(opened, it) for it in (first, second)] == [False, True]
    button.send_keys(Keys.ENTER)
    assert not browser.execute_script(opened, second)


@pytest.mark.parametrize("make", [lambda: draw(Value(2, "x") ** 2), plot_activation])
def test_a_picture_has_the_ground_of_the_page(shown, browser, make):
    from io import BytesIO

    from PIL import Image

    for name, ground in (("light", (255, 255, 255)), ("dark", (18, 23, 31))):
        with scheme(browser, name):
            (picture,) = shown(make().html)
            image = picture.find_element(By.TAG_NAME, "img")
            pixels = Image.open(BytesIO(image.screenshot_as_png)).convert("RGB")
            assert pixels.getpixel((3, 3)) == ground
