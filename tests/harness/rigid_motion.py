"""Six numbers as a 4x4 matrix, as SPM, FSL and AFNI mean them, written from their documents and with numpy alone.

Each matrix maps millimetres in the frame to millimetres in the reference. Which voxel of the frame a reference's voxel
shows is the other direction: pull_back().
"""

import numpy as np


def _turned_back(axis, angle):
    """About x, y or z, by minus the right-hand rule's angle."""
    a, b = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(4)
    matrix[a, a] = matrix[b, b] = np.cos(angle)
    matrix[a, b] = np.sin(angle)
    matrix[b, a] = -np.sin(angle)
    return matrix


def shifted(by):
    matrix = np.eye(4)
    matrix[:3, 3] = by
    return matrix


def about(matrix, centre):
    return shifted(centre) @ matrix @ shifted(-np.asarray(centre, float))


def spm(row):
    """rp_*.txt: x y z in mm, pitch roll yaw in radians; spm_matrix.m: T * Rx * Ry * Rz about the world's origin, with
    Rx = [1 0 0; 0 c s; 0 -s c], Ry = [c 0 s; 0 1 0; -s 0 c], Rz = [c s 0; -s c 0; 0 0 1]."""
    x, y, z, pitch, roll, yaw = row
    ry = np.eye(4)
    ry[0, 0] = ry[2, 2] = np.cos(roll)
    ry[0, 2], ry[2, 0] = np.sin(roll), -np.sin(roll)
    return shifted([x, y, z]) @ _turned_back(0, pitch) @ ry @ _turned_back(2, yaw)


def fsl(row, centre):
    """mcflirt's .par: three angles in radians, three shifts in mm; R = Rx * Ry * Rz about the centre of gravity, then the
    shift. make_rot() of FSL's miscmaths turns by minus the right-hand rule's angle about every axis, y included."""
    turn = _turned_back(0, row[0]) @ _turned_back(1, row[1]) @ _turned_back(2, row[2])
    return shifted(row[3:]) @ about(turn, centre)


def afni(row, centre_ras):
    """3dvolreg's .1D: roll pitch yaw dS dL dP, which 3dvolreg's help explains as
    `3drotate -rotate <roll>I <pitch>R <yaw>A -ashift <dS>S <dL>L <dP>P`: in degrees by the right-hand rule about the I-S
    axis, then the R-L axis, then the A-P axis, and after that the shift. (3drotate's help calls the later axes rotated;
    its rot_to_matrix() multiplies R3 R2 R1 onto points, with the axes at rest.) AFNI's x grows to the left and its y to the
    back; ours as NIfTI's to the right and to the front."""
    roll, pitch, yaw = np.deg2rad(row[:3])
    up, left, back = row[3:]
    turn = _turned_back(1, -yaw) @ _turned_back(0, -pitch) @ _turned_back(2, -roll)
    flip = np.diag([-1.0, -1.0, 1.0, 1.0])
    return flip @ shifted([left, back, up]) @ about(turn, (flip @ np.append(centre_ras, 1))[:3]) @ flip


def pull_back(motion, affine):
    """The frame's voxel of each reference's voxel; affine: voxels to mm."""
    return np.linalg.inv(affine) @ np.linalg.inv(motion) @ affine
