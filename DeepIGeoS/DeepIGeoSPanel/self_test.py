"""What a user can run inside Slicer by "Reload and Test"."""

import importlib.util
import time
import unittest

import slicer
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleTest

from DeepIGeoSPanel.library import importLibrary
from DeepIGeoSPanel.logic import logicClass


class DeepIGeoSTest(ScriptedLoadableModuleTest):
    """The main job on a phantom, with and without a model."""

    def setUp(self):
        slicer.mrmlScene.Clear()

    def runTest(self, **kwargs):
        """Run every test; one that is skipped is no failure."""
        suite = unittest.defaultTestLoader.loadTestsFromTestCase(type(self))
        result = unittest.TextTestRunner(verbosity=2).run(suite)
        if not result.wasSuccessful():
            raise AssertionError(f"{len(result.failures) + len(result.errors)} tests failed.")

    def test_segmentsAreReadAndWrittenExactly(self):
        """What is written into a segment of an oblique volume is read back."""
        nodes = importLibrary("DeepIGeoSLib.scene.nodes")
        volumeNode, segmentationNode, segmentId, lesion = self._phantom()
        nodes.writeMaskToSegment(lesion, volumeNode, segmentationNode, segmentId)
        read = nodes.maskFromSegment(volumeNode, segmentationNode, segmentId)
        self.assertTrue((read == lesion).all())

    def test_proposeRefineAndUndo(self):
        """A phantom's lesion is segmented, corrected by seeds, and the correction is undone."""
        bundles = importLibrary("DeepIGeoSLib.bundles").list_bundles()
        missing = [n for n in ("torch", "safetensors") if importlib.util.find_spec(n) is None]
        if missing or not bundles:
            self.skipTest("PyTorch, safetensors or a model is missing.")
        nodes = importLibrary("DeepIGeoSLib.scene.nodes")
        volumeNode, segmentationNode, segmentId, lesion = self._phantom()
        logic = logicClass()(bundles[0])
        proposal = logic.propose(volumeNode, segmentationNode, segmentId).labels
        self.assertEqual(proposal.shape, lesion.shape)

        seedsId = segmentationNode.GetSegmentation().AddEmptySegment("seeds")
        k = lesion.any(axis=(1, 2)).nonzero()[0][0]
        seeds = lesion.copy()
        seeds[k + 1 :] = False
        nodes.writeMaskToSegment(seeds, volumeNode, segmentationNode, seedsId)
        logic.refine(volumeNode, segmentationNode, segmentId, seedsId, None)
        refined = nodes.maskFromSegment(volumeNode, segmentationNode, segmentId)
        self.assertTrue(refined[seeds].all())

        logic.undo(volumeNode, segmentationNode, segmentId)
        undone = nodes.maskFromSegment(volumeNode, segmentationNode, segmentId)
        self.assertTrue((undone == proposal).all())

    def test_strokesAloneAndTheWorkbench(self):
        """Without a model, strokes segment; undo takes stroke and result back together."""
        volumeNode, segmentationNode, segmentId, lesion = self._phantom()
        workbench = importLibrary("DeepIGeoSLib.scene").Workbench(logicClass()("geodesic"))
        workbench.autoRefine = False
        workbench.choose(volumeNode, segmentationNode, segmentId)
        workbench.prepareSeeds()
        k = int(lesion.any(axis=(1, 2)).nonzero()[0].mean())
        foreground, background = lesion.copy(), ~lesion
        foreground[:k] = foreground[k + 1 :] = False
        background[:k] = background[k + 1 :] = False
        workbench.seeds.write(volumeNode, foreground, background)
        workbench.refine()
        self._wait(workbench)
        nodes = importLibrary("DeepIGeoSLib.scene.nodes")
        refined = nodes.maskFromSegment(volumeNode, segmentationNode, segmentId)
        self.assertTrue((refined[k] == lesion[k]).all())
        workbench.undo()
        self._wait(workbench)
        self.assertFalse(nodes.maskFromSegment(volumeNode, segmentationNode, segmentId).any())
        self.assertFalse(workbench.seeds.read(volumeNode)[0].any())
        workbench.close()

    def _wait(self, workbench):
        end = time.monotonic() + 60
        workbench.poll()
        while workbench.busy and time.monotonic() < end:
            slicer.app.processEvents()
            workbench.poll()
        self.assertFalse(workbench.busy, "still busy after a minute")

    def _phantom(self):
        """Return a head, a segmentation with one empty segment, its ID, and where the lesion is."""
        volume, lesion = importLibrary("DeepIGeoSLib.phantom").head_phantom()
        volumeNode = slicer.util.addVolumeFromArray(
            volume.array, ijkToRAS=volume.ijk_to_ras, name="phantom"
        )
        segmentationNode = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
        segmentationNode.CreateDefaultDisplayNodes()
        segmentationNode.SetReferenceImageGeometryParameterFromVolumeNode(volumeNode)
        segmentId = segmentationNode.GetSegmentation().AddEmptySegment("lesion")
        return volumeNode, segmentationNode, segmentId, lesion
